/** A form as a browser posts it (application/x-www-form-urlencoded). */

import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.ts';

const limitBytes = 16_384;

/** Throws INVALID_REQUEST and PAYLOAD_TOO_LARGE. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? ''))
    throw new AppError('INVALID_REQUEST', {
      problem: 'a form is expected (application/x-www-form-urlencoded)',
    });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new AppError('PAYLOAD_TOO_LARGE', { what: 'the form', bytes, limitBytes });
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
