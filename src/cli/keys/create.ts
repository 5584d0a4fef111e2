/** `keys create`: a key for a person or a machine. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { roles } from '../../kernel/roles.ts';
import type { CliContext } from '../context.ts';
import { durationOption, type KeysOptions, keysCommand, printNewKey, withKeys } from './open-keys.ts';

interface CreateOptions extends KeysOptions {
  readonly name: string;
  readonly role: string;
  readonly expires?: number;
  readonly certificate?: string;
}

/** The verb `keys create`. */
export function keysCreateCommand(context: CliContext): Command {
  return keysCommand(
    'create',
    'Make a key. It is printed once and kept as a hash only.',
    'keys create --name ci --role agent --expires 90d',
  )
    .requiredOption('--name <name>', 'whose key it is, for people')
    .addOption(new Option('--role <role>', 'what it lets its bearer do').choices(roles).makeOptionMandatory())
    .option(
      '--expires <time>',
      'valid for so long: 90d, 12h, 30m (default: until revoked)',
      durationOption('--expires'),
    )
    .option('--certificate <file>', 'client certificate without which it opens nothing (PEM or DER)')
    .action((options: CreateOptions) => runKeysCreate(options, context));
}

async function runKeysCreate(options: CreateOptions, context: CliContext): Promise<void> {
  const { name, role, expires: validMs } = options;
  const certificate =
    options.certificate === undefined
      ? undefined
      : await readFile(resolve(context.cwd, options.certificate)).catch((error: unknown) => {
          throw new AppError('INVALID_INPUT', { field: '--certificate', problem: messageOf(error) });
        });
  const made = await withKeys(options, context, (keys) => keys.create({ name, role, validMs, certificate }), {
    action: 'keys create',
    arguments: { name, role, ...(validMs !== undefined && { validMs }) },
    made: ({ id }) => id,
  });
  printNewKey(made, options, context);
}
