/** `memory conflicts`: keys that replicas changed in ways that could not both be kept. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

interface ConflictsOptions extends MemoryOptions {
  readonly prefix?: string;
  readonly limit: number;
}

/** The verb `memory conflicts`. */
export function memoryConflictsCommand(context: CliContext): Command {
  return memoryCommand(
    'conflicts',
    'List conflicts that merges left, of all scopes without --scope; --json has the values.',
    'memory conflicts --prefix projects/',
  )
    .option('--prefix <prefix>', 'only keys that start so')
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 1_000_000), 100)
    .action((options: ConflictsOptions) => runMemoryConflicts(options, context));
}

/** Most conflicts that one request brings: each has three whole values. */
const pageSize = 20;

async function runMemoryConflicts(options: ConflictsOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { scope, prefix } = options;
  const ask = (limit: number, cursor?: string) =>
    client.call('memoryConflicts', { body: { scope, prefix, cursor, limit } });
  const conflicts: Awaited<ReturnType<typeof ask>>['conflicts'] = [];
  for (let cursor: string | undefined; conflicts.length < options.limit;) {
    const page = await ask(Math.min(pageSize, options.limit - conflicts.length), cursor);
    conflicts.push(...page.conflicts);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  if (options.json === true) {
    printJson(context, { conflicts });
    return;
  }
  printTable(context, conflicts, [
    { title: 'ID', value: ({ id }) => id },
    { title: 'SCOPE', value: (row) => row.scope },
    { title: 'KEY', value: ({ key, path }) => key ?? path },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'FIELDS', value: ({ fields }) => fields.join(', ') },
    { title: 'WINNER', value: ({ winner }) => winner.actor },
    { title: 'LOSER', value: ({ loser }) => loser.actor },
  ]);
}
