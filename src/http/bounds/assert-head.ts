/** Bounds on the head of a request, where the parser of Node.js has none of its own or cuts off in silence. */

import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.ts';

export interface HeadBounds {
  readonly headerCount: number;
  readonly urlBytes: number;
}

/** Throws URL_TOO_LONG or TOO_MANY_HEADERS. */
export function assertHead(request: IncomingMessage, { headerCount, urlBytes }: HeadBounds): void {
  // The parser takes ASCII only, so that characters are bytes.
  const bytes = request.url?.length ?? 0;
  if (bytes > urlBytes) throw new AppError('URL_TOO_LONG', { bytes, limitBytes: urlBytes });
  const count = request.rawHeaders.length / 2;
  if (count > headerCount) throw new AppError('TOO_MANY_HEADERS', { limit: headerCount });
}
