/** `users disable`: somebody does not come in any more. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printChanged, type UsersOptions, usersCommand, withUsers } from './open-users.ts';

/** The verb `users disable`. */
export function usersDisableCommand(context: CliContext): Command {
  return usersCommand(
    'disable',
    'End what a person may do: sessions at once, tokens of their apps within a second.',
    'users disable anna@example.org',
  )
    .argument('<login>', 'what they sign in with, as `users list` shows it')
    .action((login: string, options: UsersOptions) => runUsersDisable(login, options, context));
}

async function runUsersDisable(login: string, options: UsersOptions, context: CliContext): Promise<void> {
  const change = { action: 'users disable', arguments: { login }, id: login };
  const person = await withUsers(options, context, (people) => people.disable(login), change);
  printChanged(person, options, context);
}
