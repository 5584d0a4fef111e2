/** `keys list`: who has a key, and when it was last used. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { type KeyItem, type KeysOptions, keysCommand, withKeys } from './open-keys.ts';

/** The verb `keys list`. */
export function keysListCommand(context: CliContext): Command {
  return keysCommand('list', 'List keys with their roles and when they were last used.', 'keys list').action(
    (options: KeysOptions) => runKeysList(options, context),
  );
}

function onlyOf({ narrowing }: KeyItem): string | undefined {
  const parts = Object.entries(narrowing ?? {}).filter(([, patterns]) => patterns !== undefined);
  return parts.length === 0 ? undefined : parts.map(([what, patterns]) => `${what}: ${patterns}`).join('; ');
}

async function runKeysList(options: KeysOptions, context: CliContext): Promise<void> {
  const items = await withKeys(options, context, (keys) => keys.list());
  if (options.json === true) {
    printJson(context, { items });
    return;
  }
  printTable(context, items, [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'ROLE', value: ({ role }) => role },
    { title: 'GROUPS', value: ({ groups }) => groups?.join(',') },
    { title: 'ONLY', value: onlyOf },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'EXPIRES', value: ({ expiresAt }) => expiresAt ?? 'never' },
    { title: 'CERTIFICATE', value: ({ certificate }) => certificate?.slice(0, 12) ?? '' },
    { title: 'LAST USED', value: ({ lastUsedAt }) => lastUsedAt ?? 'never' },
  ]);
}
