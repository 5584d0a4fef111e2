/** One line of a push: which ref, from what, to what. */

import { AppError } from '../../kernel/errors.ts';

/** The id that stands for nothing: creation as the old one, deletion as the new one. */
export const noId = '0'.repeat(40);

export interface PushCommand {
  readonly ref: string;
  /** What the client saw there. */
  readonly from: string;
  readonly to: string;
}

/** Reads `<old id> <new id> <ref>`. Throws INVALID_REQUEST. */
export function parseCommand(line: string): PushCommand {
  const match = /^([0-9a-f]{40}) ([0-9a-f]{40}) (refs\/[^\s\p{Cc}]{1,500})\n?$/u.exec(line);
  const [, from = '', to = '', ref = ''] = match ?? [];
  if (!match) throw new AppError('INVALID_REQUEST', { problem: 'the push has a command that is none' });
  return { ref, from, to };
}
