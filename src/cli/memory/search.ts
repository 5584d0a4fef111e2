/** `memory search <words…>`. */

import { type Command, Option } from 'commander';
import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import { integerOption, repeated } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { type Column, note, printJson, printTable } from '../output.ts';
import { type RestOptions, connectRest, restCommand } from '../rest-command.ts';
import { parseScope } from './memory-command.ts';

type Hit = MemoryOutput<'search'>['hits'][number];

interface SearchOptions
  extends RestOptions, Omit<MemoryInput<'search'>, 'query' | 'scope' | 'tags' | 'exclude'> {
  readonly scope?: readonly string[];
  readonly tag?: readonly string[];
  readonly exclude?: readonly string[];
  readonly neighbors: boolean;
  readonly semantic: boolean;
  readonly limit: number;
}

/** The verb `memory search`. */
export function memorySearchCommand(context: CliContext): Command {
  return restCommand(
    'search',
    'Full-text search, best first, in any language; without --scope in all scopes.',
    `memory search apollo launch decision
  git-memory-mcp memory search '"launch date"' --prefix projects/ --since 2026-10`,
  )
    .argument('<words...>', 'a few telling words; "words in quotes" must stand so, word* matches a beginning')
    .option('--scope <scope>', 'only in this scope (repeatable)', (scope, before?: readonly string[]) =>
      repeated(parseScope(scope), before),
    )
    .option('--tag <tag>', 'only with this label (repeatable)', repeated)
    .option('--exclude <words>', 'without these words or this phrase (repeatable)', repeated)
    .addOption(new Option('--type <type>', 'only text, or only JSON values').choices(['text', 'json']))
    .option('--prefix <prefix>', 'only keys that start so')
    .option('--thread <thread>', 'only parts of this thread')
    .option('--since <date>', 'changed on this ISO 8601 date or later')
    .option('--until <date>', 'changed on this ISO 8601 date or before')
    .addOption(
      new Option('--recency <weight>', 'how much new memories are preferred').choices([
        'none',
        'mild',
        'strong',
      ]),
    )
    .option('--no-neighbors', 'rank each memory alone, whatever stands beside it in its thread')
    .option('--no-semantic', 'by words only, also where search by meaning is configured')
    .option('--explain', 'say how each score came about')
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 1000), 20)
    .option(
      '--max-tokens <count>',
      'leave out the last hits above so many tokens',
      integerOption('--max-tokens', 50, 1_000_000),
    )
    .option('--workspace <name>', 'in this workspace instead of the shared state')
    .option('--at <version>', 'as of a commit id, an ISO 8601 date or snap:<name>')
    .action((words: string[], options: SearchOptions) => runMemorySearch(words, options, context));
}

function toInput(words: readonly string[], options: SearchOptions): MemoryInput<'search'> {
  const { type, prefix, thread, since, until, recency, explain, limit, maxTokens, at, workspace } = options;
  const { scope, tag, exclude, neighbors, semantic } = options;
  return {
    query: words.join(' '),
    type,
    prefix,
    thread,
    since,
    until,
    recency,
    explain,
    limit,
    maxTokens,
    at,
    workspace,
    ...(scope && { scope: scope.length === 1 ? scope[0] : [...scope] }),
    ...(tag && { tags: [...tag] }),
    ...(exclude && { exclude: [...exclude] }),
    ...(!neighbors && { neighbors }),
    ...(!semantic && { semantic }),
  };
}

async function runMemorySearch(
  words: readonly string[],
  options: SearchOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const found = await client.call('memorySearch', { body: toInput(words, options) });
  if (options.json === true) {
    printJson(context, found);
    return;
  }
  const why: Column<Hit> = { title: 'WHY', value: ({ explain }) => whyText(explain) };
  printTable(context, found.hits, [
    { title: 'SCORE', value: ({ score }) => Number(score.toPrecision(3)), alignRight: true },
    { title: 'SCOPE', value: (hit) => hit.scope },
    { title: 'KEY', value: ({ key }) => key },
    ...(options.explain === true ? [why] : []),
    { title: 'SNIPPET', value: ({ snippet }) => snippet, marks: ({ highlights }) => highlights },
  ]);
  if (found.semantic === 'unavailable') note(context, 'by words only: the embedding provider did not answer');
  if (found.omitted !== undefined && found.omitted > 0) {
    note(context, `${found.omitted} more hits were left out to stay within ${options.maxTokens} tokens`);
  }
  if (found.unsearched !== undefined)
    note(context, `${found.unsearched} values that were just written were not looked at: there are too many`);
  for (const text of found.notes ?? []) note(context, text);
}

/** `moon 2.1, neighbors 0.4, recency ×1.05`. */
function whyText(explain: Hit['explain']): string | undefined {
  if (!explain) return undefined;
  const short = (value: number) => Number(value.toPrecision(3));
  const parts = explain.words.map(({ word, score }) => `${word} ${short(score)}`);
  if (explain.neighbors > 0) parts.push(`neighbors ${short(explain.neighbors)}`);
  if (explain.recency > 1) parts.push(`recency ×${short(explain.recency)}`);
  if (explain.semantic) parts.push(`meaning #${explain.semantic.rank}`);
  return parts.join(', ');
}
