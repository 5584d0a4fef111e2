/** RFC 9457 problem details, the one error form of the REST edge. */

import type { Problem } from '../contract/rest/routes.ts';
import { errorTable, isAppError, toAppError } from '../kernel/errors.ts';
import { RpcError } from '../kernel/json-rpc.ts';
import type { Logger } from '../kernel/log.ts';

export function toProblem(thrown: unknown, logger: Logger): Problem {
  if (thrown instanceof RpcError) {
    return {
      type: 'about:blank',
      title: 'UPSTREAM_ERROR',
      status: 502,
      detail: thrown.message,
      code: 'UPSTREAM_ERROR',
      id: '',
      data: { code: thrown.code },
    };
  }
  const error = toAppError(thrown);
  if (error.code === 'INTERNAL') logger.error({ id: error.id, err: error.cause }, 'request failed');
  return {
    type: 'about:blank',
    title: error.code,
    status: errorTable[error.code].http,
    detail: error.message,
    code: error.code,
    id: error.id,
    ...(Object.keys(error.data).length > 0 && { data: { ...error.data } }),
  };
}

/** Seconds after which it is worth while to try again, where a server was busy or a limit used up: for `Retry-After` (RFC 9110, 10.2.3). */
export function retryAfterOf(thrown: unknown): number | undefined {
  return isAppError(thrown, 'SERVER_BUSY', 'RATE_LIMITED')
    ? Math.ceil(Number(thrown.data['retryAfterMs']) / 1000)
    : undefined;
}
