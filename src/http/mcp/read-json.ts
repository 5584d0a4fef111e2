/** A request's body as JSON, bounded. */

import type { IncomingMessage } from 'node:http';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import { assertDepth } from '../bounds/assert-depth.ts';

/** Reads and parses the body; throws PAYLOAD_TOO_LARGE, PARSE_ERROR, or INVALID_REQUEST for one nested too deep. */
export function readJson(request: IncomingMessage, limitBytes: number, maxDepth: number): Promise<unknown> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limitBytes) {
    return Promise.reject(
      new AppError('PAYLOAD_TOO_LARGE', { what: 'the body', bytes: declared, limitBytes }),
    );
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) {
        request.removeAllListeners('data');
        request.resume();
        reject(new AppError('PAYLOAD_TOO_LARGE', { what: 'the body', bytes, limitBytes }));
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => {
      const [only] = chunks;
      const text = (chunks.length === 1 && only ? only : Buffer.concat(chunks)).toString('utf8');
      try {
        assertDepth(text, maxDepth);
        resolve(JSON.parse(text));
      } catch (error) {
        reject(isAppError(error) ? error : new AppError('PARSE_ERROR', { problem: messageOf(error) }));
      }
    });
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) reject(new AppError('CLIENT_GONE', { method: 'the body' }));
    });
  });
}
