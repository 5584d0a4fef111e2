/** The frame of every verb that works on the keys of a data folder, with a coordinator on it or without. */

import { mkdir } from 'node:fs/promises';
import { Command } from 'commander';
import { loadConfig } from '../../config/load-config.ts';
import { resolveStore } from '../../config/resolve-store.ts';
import { createManagedKeys, type KeyItem, type ManagedKeys } from '../../identity/manage-keys.ts';
import { systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { localOwner } from '../../kernel/principal.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printLines } from '../output.ts';
import { type AuditedChange, withAudit } from '../with-audit.ts';

export type { KeyItem };

export interface KeysOptions {
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** A verb of `keys` with the options that all of them share. */
export function keysCommand(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .option('--data <folder>', 'data folder of the coordinator (default .git-memory)')
    .option('--config <file>', 'config file that names the data folder and the store')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  git-memory-mcp ${example}`);
}

/**
 * Does some work on the keys. Who can write the folder is its owner, so nobody is asked for a key. A change is in the
 * audit log when this resolves.
 */
export async function withKeys<T>(
  options: KeysOptions,
  context: CliContext,
  work: (keys: ManagedKeys) => Promise<T>,
  change?: AuditedChange<T>,
): Promise<T> {
  const loaded = await loadConfig({
    env: context.env,
    cwd: context.cwd,
    flags: { dataDir: options.data },
    ...(options.config !== undefined && { file: options.config }),
  });
  const { config } = loaded;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  // Loaded here, so that the other verbs start without the store.
  const { openStore } = await import('../../store/open-store.ts');
  const postgres = await resolveStore(loaded, context.env);
  await using store = await openStore(config.dataDir, { postgres });
  const keys = createManagedKeys(store.apiKeys, localOwner.tenant, systemClock);
  return await withAudit(config, context, change, () => work(keys));
}

/** Prints a key, which is seen this once: the key alone on standard output, so that a script can take it. */
export function printNewKey(
  made: { readonly id: string; readonly key: string },
  { json }: KeysOptions,
  context: CliContext,
): void {
  if (json === true) {
    printJson(context, made);
    return;
  }
  note(context, `key ${made.id}; keep it now, it is not shown again`);
  printLines(context, [made.key]);
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const maxDays = 3650;

/** `90d`, `12h`, `30m` → milliseconds; for commander's option parsing. */
export function durationOption(field: string): (text: string) => number {
  return (text) => {
    const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
    const ms = Number(count) * (units[unit] ?? Number.NaN);
    if (ms >= 0 && ms <= maxDays * units['d']!) return ms;
    throw new AppError('INVALID_INPUT', { field, problem: 'must look like 90d, 12h or 30m' });
  };
}
