/** `users invite`: somebody new, with a link that lets them set a password. */

import type { Command } from 'commander';
import { roles } from '../../kernel/roles.ts';
import type { CliContext } from '../context.ts';
import { printNewLink, type UsersOptions, usersCommand, withUsers } from './open-users.ts';

interface InviteOptions extends UsersOptions {
  readonly login: string;
  readonly name?: string;
  readonly role: string;
}

/** The verb `users invite`. */
export function usersInviteCommand(context: CliContext): Command {
  return usersCommand(
    'invite',
    'Add a person. The link that is printed once lets them set a password, for a week.',
    'users invite --login anna@example.org --role developer',
  )
    .requiredOption('--login <login>', 'what they sign in with, such as an e-mail address')
    .option('--name <name>', 'how they are called (default: the login)')
    .requiredOption('--role <role>', `what they may do: ${roles.join(', ')}, or a role of the policy`)
    .action((options: InviteOptions) => runUsersInvite(options, context));
}

async function runUsersInvite(options: InviteOptions, context: CliContext): Promise<void> {
  const { login, name, role } = options;
  const wish = { login, role, ...(name !== undefined && { name }) };
  const link = await withUsers(options, context, (people) => people.invite(wish), {
    action: 'users invite',
    arguments: wish,
    made: ({ id }) => id,
  });
  await printNewLink(link, options, context);
}
