/** `memory links <key>`: what a memory links to and what links to it. */

import { type Command, Option } from 'commander';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

interface LinksOptions extends MemoryOptions {
  readonly direction?: 'both' | 'out' | 'in';
  readonly depth?: number;
  readonly maxTokens?: number;
}

/** The verb `memory links`. */
export function memoryLinksCommand(context: CliContext): Command {
  return memoryCommand(
    'links',
    'What a memory links to and what links to it, nearest first.',
    'memory links projects/apollo --depth 2',
  )
    .argument('<key>', 'name, slash-separated')
    .addOption(new Option('--direction <way>', 'which links').choices(['both', 'out', 'in']).default('both'))
    .option('--depth <count>', 'how many links away', integerOption('--depth', 1, 5), 1)
    .option(
      '--max-tokens <count>',
      'budget of the answer',
      integerOption('--max-tokens', 100, 50_000),
      10_000,
    )
    .action((key: string, options: LinksOptions) => runMemoryLinks(key, options, context));
}

interface LinkRow {
  readonly depth: number | undefined;
  readonly link: string;
  readonly scope: string;
  readonly key: string;
  readonly title: string;
  readonly from: string;
}

type Links = MemoryOutput<'links'>;

function rowsOf({ nodes, missing }: Links): LinkRow[] {
  const linkOf = (kind: string, label = '') => (label === '' ? kind : `${kind} ${label}`);
  return [
    ...nodes.map(({ depth, scope, key, title, via }) => ({
      depth,
      link: `${via.direction} ${linkOf(via.kind, via.label)}`,
      scope,
      key,
      title,
      from: via.from.key,
    })),
    ...missing.map(({ scope, key, kind, label, from }) => ({
      depth: undefined,
      link: `missing ${linkOf(kind, label)}`,
      scope,
      key,
      title: '',
      from: from.key,
    })),
  ];
}

async function runMemoryLinks(key: string, options: LinksOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { scope, direction, depth, maxTokens } = options;
  const found = await client.call('memoryLinks', { body: { key, scope, direction, depth, maxTokens } });
  if (options.json === true) {
    printJson(context, found);
    return;
  }
  printTable(context, rowsOf(found), [
    { title: 'DEPTH', value: (row) => row.depth, alignRight: true },
    { title: 'LINK', value: ({ link }) => link },
    { title: 'SCOPE', value: (row) => row.scope },
    { title: 'KEY', value: (row) => row.key },
    { title: 'TITLE', value: ({ title }) => title },
    { title: 'FROM', value: ({ from }) => from },
  ]);
  if (!found.exists) note(context, `nothing is stored under ${found.key} in ${found.scope}`);
  if (found.omitted > 0) note(context, `${found.omitted} more left out; raise --max-tokens`);
}
