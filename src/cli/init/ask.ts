/** The questions of `init`, for a person at a terminal. */

import { confirm, isCancel, multiselect } from '@clack/prompts';
import { AppError } from '../../kernel/errors.ts';
import type { FoundServer } from './find-servers.ts';

/** Ctrl-C at a question ends the command with nothing written. */
function unlessCancelled<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new AppError('REQUEST_CANCELLED');
  return answer as Exclude<T, symbol>;
}

/** Which of the found servers to take over; all are ticked at first. */
export async function chooseServers(found: readonly FoundServer[]): Promise<readonly FoundServer[]> {
  if (found.length === 0) return [];
  const names = unlessCancelled(
    await multiselect({
      message: 'MCP servers found on this machine. Which shall the coordinator run?',
      options: found.map(({ name, client }) => ({ value: name, label: name, hint: client })),
      initialValues: found.map(({ name }) => name),
      required: false,
    }),
  );
  return found.filter(({ name }) => names.includes(name));
}

/** Whether to replace a config that is there. */
export async function confirmReplace(file: string): Promise<boolean> {
  return unlessCancelled(
    await confirm({ message: `${file} exists. Replace it? A copy is kept.`, initialValue: false }),
  );
}
