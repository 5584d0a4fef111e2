/** Cursors of paged answers: opaque to callers, a plain position to us. */

import { AppError } from '../../kernel/errors.ts';

/** A position as a cursor. */
export function encodeCursor(position: string): string {
  return Buffer.from(`1:${position}`, 'utf8').toString('base64url');
}

/** The position of a cursor. Throws INVALID_INPUT for what is none of ours. */
export function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (text.startsWith('1:')) return text.slice(2);
  throw new AppError('INVALID_INPUT', { field: 'cursor', problem: 'is not one of ours' });
}
