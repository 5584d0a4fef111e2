/** What both eras' wires need, and the one way errors become answers. */

import type { IncomingMessage } from 'node:http';
import type { Gateway } from '../../gateway/gateway.ts';
import { toAppError } from '../../kernel/errors.ts';
import { asPriority, type Priority } from '../../kernel/pool-options.ts';
import { priorityHeader } from '../../kernel/protocol.ts';
import { type RequestId, RpcError, type RpcResponse, toRpcError } from '../../kernel/json-rpc.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { KeepAlive } from './reply.ts';

export interface EndpointDependencies {
  readonly gateway: Gateway;
  readonly logger: Logger;
  readonly keepAlive: KeepAlive;
  readonly nextRequestId: () => string;
  readonly bodyLimitBytes: number;
  /** How deep the JSON of a body may be nested. */
  readonly maxJsonDepth: number;
  /** Who sends a request. Throws what the client is told when that is nobody. */
  readonly identify: (request: IncomingMessage) => Principal;
  /** Where a request comes from. */
  readonly addressOf: (request: IncomingMessage) => string;
}

/** Anything thrown as the error of a response; what is not ours goes to the log under the id the client gets. */
export function errorResponse(id: RequestId | null, thrown: unknown, logger: Logger): RpcResponse {
  if (thrown instanceof RpcError) {
    const { code, message, data } = thrown;
    return { jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } };
  }
  const error = toAppError(thrown);
  if (error.code === 'INTERNAL') logger.error({ id: error.id, err: error.cause }, 'request failed');
  return { jsonrpc: '2.0', id, error: toRpcError(error) };
}

/** How urgent the client's calls are by its header. */
export function priorityOf(request: IncomingMessage): Priority | undefined {
  const header = request.headers[priorityHeader];
  return header === undefined ? undefined : asPriority(header);
}
