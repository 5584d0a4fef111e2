/** `users reset`: a new link for somebody who cannot sign in, or should not with the password they have. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printNewLink, type UsersOptions, usersCommand, withUsers } from './open-users.ts';

/** The verb `users reset`. */
export function usersResetCommand(context: CliContext): Command {
  return usersCommand(
    'reset',
    'End the password, sessions and apps of a person, and print a link that sets another password.',
    'users reset anna@example.org',
  )
    .argument('<login>', 'what they sign in with, as `users list` shows it')
    .action((login: string, options: UsersOptions) => runUsersReset(login, options, context));
}

async function runUsersReset(login: string, options: UsersOptions, context: CliContext): Promise<void> {
  const change = { action: 'users reset', arguments: { login }, id: login };
  const link = await withUsers(options, context, (people) => people.reset(login), change);
  await printNewLink(link, options, context);
}
