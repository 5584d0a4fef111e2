/** `users list`: who may sign in, and when they last did. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { type UsersOptions, usersCommand, withUsers } from './open-users.ts';

/** The verb `users list`. */
export function usersListCommand(context: CliContext): Command {
  return usersCommand(
    'list',
    'List people with their roles and when they last signed in.',
    'users list',
  ).action((options: UsersOptions) => runUsersList(options, context));
}

async function runUsersList(options: UsersOptions, context: CliContext): Promise<void> {
  const items = await withUsers(options, context, (people) => people.list());
  if (options.json === true) {
    printJson(context, { items });
    return;
  }
  printTable(context, items, [
    { title: 'LOGIN', value: ({ login }) => login },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'ROLE', value: ({ role }) => role },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'LAST LOGIN', value: ({ lastLoginAt }) => lastLoginAt ?? 'never' },
  ]);
}
