/** The frame of every verb that works on the people of a data folder, with a coordinator on it or without. */

import { mkdir } from 'node:fs/promises';
import { Command } from 'commander';
import { loadConfig } from '../../config/load-config.ts';
import {
  createManagedPeople,
  type ManagedPeople,
  type NewLink,
} from '../../identity/people/manage-people.ts';
import { systemClock } from '../../kernel/clock.ts';
import { localOwner } from '../../kernel/principal.ts';
import type { CliContext } from '../context.ts';
import { findCoordinator } from '../find-coordinator.ts';
import { note, printJson, printLines } from '../output.ts';
import { type AuditedChange, withAudit } from '../with-audit.ts';

export interface UsersOptions {
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** A verb of `users` with the options that all of them share. */
export function usersCommand(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .option('--data <folder>', 'data folder of the coordinator (default .git-memory)')
    .option('--config <file>', 'config file that names the data folder')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  git-memory-mcp ${example}`);
}

/**
 * Does some work on the people. Who can write the folder is its owner, so nobody is asked for a key. A change is in the
 * audit log when this resolves.
 */
export async function withUsers<T>(
  options: UsersOptions,
  context: CliContext,
  work: (people: ManagedPeople) => Promise<T>,
  change?: AuditedChange<T>,
): Promise<T> {
  const { config } = await load(options, context);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  // Loaded here, so that the other verbs start without the store.
  const { openStore } = await import('../../store/open-store.ts');
  await using store = await openStore(config.dataDir);
  const people = createManagedPeople(store, localOwner.tenant, systemClock);
  return await withAudit(config, context, change, () => work(people));
}

function load(options: UsersOptions, context: CliContext) {
  return loadConfig({
    env: context.env,
    cwd: context.cwd,
    flags: { dataDir: options.data },
    ...(options.config !== undefined && { file: options.config }),
  });
}

/** Prints a one-time link, which is seen this once: the link alone on standard output, so that a script can take it. */
export async function printNewLink(
  { id, path, expiresAt }: NewLink,
  options: UsersOptions,
  context: CliContext,
): Promise<void> {
  const { config } = await load(options, context);
  const origin = config.auth.publicUrl ?? (await findCoordinator({ data: config.dataDir }, context)).url;
  const link = new URL(path, origin).href;
  if (options.json === true) {
    printJson(context, { id, link, expiresAt });
    return;
  }
  note(context, `opens once, until ${expiresAt}; it is not shown again`);
  printLines(context, [link]);
}

/** Prints what became of somebody. */
export function printChanged(
  person: { readonly login: string; readonly role: string; readonly state: string },
  options: UsersOptions,
  context: CliContext,
): void {
  if (options.json === true) printJson(context, person);
  else note(context, `${person.login}: ${person.role}, ${person.state}`);
}
