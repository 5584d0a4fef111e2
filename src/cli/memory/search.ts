/** `memory search <words…>`. */

import type { Command } from 'commander';
import { integerOption, repeated } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

interface SearchOptions extends MemoryOptions {
  readonly tag?: readonly string[];
  readonly limit: number;
  readonly at?: string;
}

/** The verb `memory search`. */
export function memorySearchCommand(context: CliContext): Command {
  return memoryCommand(
    'search',
    'Full-text search, best first, in any language; without --scope in all scopes.',
    'memory search apollo launch decision',
  )
    .argument('<words...>', 'a few telling words')
    .option('--tag <tag>', 'only with this label (repeatable)', repeated)
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 1000), 20)
    .option('--at <version>', 'as of a commit id, an ISO 8601 date or snap:<name>')
    .action((words: string[], options: SearchOptions) => runMemorySearch(words, options, context));
}

async function runMemorySearch(
  words: readonly string[],
  options: SearchOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const { scope, tag, limit, at } = options;
  const body = { query: words.join(' '), scope, limit, at, ...(tag && { tags: [...tag] }) };
  const found = await client.call('memorySearch', { body });
  if (options.json === true) {
    printJson(context, found);
    return;
  }
  printTable(context, found.hits, [
    { title: 'SCORE', value: ({ score }) => Number(score.toPrecision(3)), alignRight: true },
    { title: 'SCOPE', value: (hit) => hit.scope },
    { title: 'KEY', value: ({ key }) => key },
    { title: 'SNIPPET', value: ({ snippet }) => snippet },
  ]);
}
