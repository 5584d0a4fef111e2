/** `keys revoke`: a key opens nothing any more. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { type KeysOptions, keysCommand, withKeys } from './open-keys.ts';

/** The verb `keys revoke`. */
export function keysRevokeCommand(context: CliContext): Command {
  return keysCommand(
    'revoke',
    'End a key; a running coordinator refuses it within a second.',
    'keys revoke 1f2e3d4c5b6a',
  )
    .argument('<id>', 'id of the key, as `keys list` shows it')
    .action((id: string, options: KeysOptions) => runKeysRevoke(id, options, context));
}

async function runKeysRevoke(id: string, options: KeysOptions, context: CliContext): Promise<void> {
  await withKeys(options, context, (keys) => keys.revoke(id), {
    action: 'keys revoke',
    arguments: { id },
    id,
  });
  if (options.json === true) printJson(context, { id, revoked: true });
  else note(context, `revoked ${id}`);
}
