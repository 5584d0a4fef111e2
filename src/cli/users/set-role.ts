/** `users set-role`: somebody may do something else from now on. */

import type { Command } from 'commander';
import { roles } from '../../kernel/roles.ts';
import type { CliContext } from '../context.ts';
import { printChanged, type UsersOptions, usersCommand, withUsers } from './open-users.ts';

/** The verb `users set-role`. */
export function usersSetRoleCommand(context: CliContext): Command {
  return usersCommand(
    'set-role',
    'Change the role of a person; it holds within a second, for their apps too.',
    'users set-role anna@example.org operator',
  )
    .argument('<login>', 'what they sign in with, as `users list` shows it')
    .argument('<role>', `what they may do: ${roles.join(', ')}, or a role of the policy`)
    .action((login: string, role: string, options: UsersOptions) =>
      runUsersSetRole(login, role, options, context),
    );
}

async function runUsersSetRole(
  login: string,
  role: string,
  options: UsersOptions,
  context: CliContext,
): Promise<void> {
  const change = { action: 'users set-role', arguments: { login, role }, id: login };
  const person = await withUsers(options, context, (people) => people.setRole(login, role), change);
  printChanged(person, options, context);
}
