/** `keys create`: a key for a person or a machine. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { isRole, roles } from '../../kernel/roles.ts';
import type { CliContext } from '../context.ts';
import { note } from '../output.ts';
import { durationOption, type KeysOptions, keysCommand, printNewKey, withKeys } from './open-keys.ts';

interface CreateOptions extends KeysOptions {
  readonly name: string;
  readonly role: string;
  readonly expires?: number;
  readonly certificate?: string;
  readonly groups?: readonly string[];
  readonly servers?: readonly string[];
  readonly tools?: readonly string[];
  readonly scopes?: readonly string[];
}

/** `a, b` → names, for commander's option parsing. */
function names(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

/** The verb `keys create`. */
export function keysCreateCommand(context: CliContext): Command {
  return keysCommand(
    'create',
    'Make a key. It is printed once and kept as a hash only.',
    `keys create --name ci --role agent --expires 90d
  git-memory-mcp keys create --name notes --role agent --tools 'memory_*' --scopes shared`,
  )
    .requiredOption('--name <name>', 'whose key it is, for people')
    .requiredOption(
      '--role <role>',
      `what it lets its bearer do: ${roles.join(', ')}, or a role of the policy`,
    )
    .option('--groups <names>', 'groups of its bearer, for conditions of the policy: a,b', names)
    .option('--servers <patterns>', 'only these servers, by id; * at the end: a,b*', names)
    .option('--tools <patterns>', 'only these tools, as `tool` or `server__tool`; * at the end', names)
    .option('--scopes <patterns>', 'only these scopes of the memory; * at the end', names)
    .option(
      '--expires <time>',
      'valid for so long: 90d, 12h, 30m (default: until revoked)',
      durationOption('--expires'),
    )
    .option('--certificate <file>', 'client certificate without which it opens nothing (PEM or DER)')
    .action((options: CreateOptions) => runKeysCreate(options, context));
}

async function runKeysCreate(options: CreateOptions, context: CliContext): Promise<void> {
  const { name, role, expires: validMs, groups, servers, tools, scopes } = options;
  const isNarrow = [servers, tools, scopes].some((patterns) => patterns !== undefined);
  const certificate =
    options.certificate === undefined
      ? undefined
      : await readFile(resolve(context.cwd, options.certificate)).catch((error: unknown) => {
          throw new AppError('INVALID_INPUT', { field: '--certificate', problem: messageOf(error) });
        });
  const wish = {
    name,
    role,
    validMs,
    certificate,
    groups,
    ...(isNarrow && { narrowing: { servers, tools, scopes } }),
  };
  const made = await withKeys(options, context, (keys) => keys.create(wish), {
    action: 'keys create',
    arguments: { name, role, ...(validMs !== undefined && { validMs }) },
    made: ({ id }) => id,
  });
  if (!isRole(role)) note(context, `${role} is not built in: the key opens nothing until the policy has it`);
  printNewKey(made, options, context);
}
