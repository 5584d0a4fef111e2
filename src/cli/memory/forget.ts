/** `memory forget`: delete, destroy a subject's key, or take memories out of all history. */

import type { Command } from 'commander';
import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

interface ForgetOptions extends MemoryOptions {
  readonly prefix?: string;
  readonly all?: true;
  readonly subject?: string;
  readonly rewrite?: true;
  readonly keepBackups?: true;
  readonly dryRun?: true;
  readonly yes?: true;
}

/** Rewriting a long history takes its time. */
const timeoutMs = 6 * 3_600_000;

/** The verb `memory forget`. */
export function memoryForgetCommand(context: CliContext): Command {
  return memoryCommand(
    'forget',
    'Forget memories: delete them (default), destroy the key of a subject (--subject), or take them out of all history and backups (--rewrite).',
    `memory forget notes/old notes/older
  git-memory-mcp memory forget --subject user-42 --yes
  git-memory-mcp memory forget --prefix people/ada/ --rewrite --yes`,
  )
    .argument('[keys...]', 'names, slash-separated')
    .option('--prefix <prefix>', 'every key that starts so')
    .option('--all', 'every key of --scope')
    .option('--subject <subject>', 'whatever was stored with this subject becomes unreadable, everywhere')
    .option('--rewrite', 'take it out of history, journal, index and backups; clones must be made anew')
    .option('--keep-backups', 'with --rewrite: leave backups as they are, though they hold it')
    .option('--dry-run', 'only tell what would be forgotten')
    .option('--yes', 'do what cannot be undone; without it --subject and --rewrite only tell')
    .action((keys: string[], options: ForgetOptions) => runMemoryForget(keys, options, context));
}

async function runMemoryForget(
  keys: readonly string[],
  options: ForgetOptions,
  context: CliContext,
): Promise<void> {
  const { scope, prefix, all, subject, rewrite, keepBackups, json } = options;
  const level = subject === undefined ? (rewrite ? 'rewrite' : 'tombstone') : 'shred';
  const isAsked = level === 'tombstone' || options.yes === true;
  const client = await connectRest(options, context);
  const body: MemoryInput<'forget'> = {
    level,
    scope,
    ...(keys.length > 0 && { keys: [...keys] }),
    prefix,
    all,
    subject,
    keepBackups,
    dryRun: options.dryRun === true || !isAsked,
  };
  const done = await client.call('memoryForget', { body }, timeoutMs);
  if (json === true) printJson(context, done);
  else for (const line of describe(done, isAsked)) note(context, line);
}

function describe(done: MemoryOutput<'forget'>, isAsked: boolean): string[] {
  const { dryRun, forgotten, keys, rewritten, backup } = done;
  const lines = keys.map(({ scope, key }) => `${dryRun ? 'would forget' : 'forgot'} ${scope}/${key}`);
  if (forgotten > keys.length) lines.push(`and ${forgotten - keys.length} more`);
  if (forgotten === 0) lines.push('no present value is concerned');
  if (rewritten && dryRun) lines.push(`would take ${rewritten.files} files out of the history`);
  if (rewritten && !dryRun)
    lines.push(
      `took ${rewritten.files} files out of the history: ${rewritten.commits} commits and ${rewritten.refs} refs changed`,
    );
  if (backup) lines.push(`made backup ${backup.made ?? '-'}, removed ${backup.removed.length} older ones`);
  lines.push(...done.notes);
  if (!isAsked) lines.push('nothing was done: this cannot be undone, add --yes to do it');
  return lines;
}
