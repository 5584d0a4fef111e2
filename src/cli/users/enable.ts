/** `users enable`: somebody who was disabled comes in again. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printChanged, type UsersOptions, usersCommand, withUsers } from './open-users.ts';

/** The verb `users enable`. */
export function usersEnableCommand(context: CliContext): Command {
  return usersCommand('enable', 'Let a disabled person sign in again.', 'users enable anna@example.org')
    .argument('<login>', 'what they sign in with, as `users list` shows it')
    .action((login: string, options: UsersOptions) => runUsersEnable(login, options, context));
}

async function runUsersEnable(login: string, options: UsersOptions, context: CliContext): Promise<void> {
  const change = { action: 'users enable', arguments: { login }, id: login };
  const person = await withUsers(options, context, (people) => people.enable(login), change);
  printChanged(person, options, context);
}
