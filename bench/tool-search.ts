/**
 * Tool search: `npm run bench:tool-search`. What a client reads with the full list and with `?tools=search`, how often
 * `find_tools` finds the right tool for the hundred tasks of bench/data/tool-tasks.ts in the words of people, and what
 * a query costs among 10,000 tools. Prints the misses, then one line of JSON.
 */

import { builtInServers } from '../src/catalog/built-in-servers.ts';
import { createPortLedger } from '../src/catalog/categories.ts';
import type { InstanceSpec } from '../src/catalog/instance-spec.ts';
import type { Listing } from '../src/catalog/listing.ts';
import { planBuiltIns } from '../src/catalog/plan-built-ins.ts';
import { configShape } from '../src/config/schema.ts';
import type { Exchange } from '../src/gateway/exchange.ts';
import { matchesAny } from '../src/kernel/name-patterns.ts';
import { toSearchView } from '../src/gateway/tool-search/search-view.ts';
import { createToolSearch } from '../src/gateway/tool-search/tool-search.ts';
import { compileView, type View } from '../src/gateway/view.ts';
import type { JsonObject } from '../src/kernel/json-rpc.ts';
import { estimateTokens } from '../src/kernel/text/token-budget.ts';
import type { Instance } from '../src/pool/instance.ts';
import { serveDefinition } from '../src/transport/in-process/served-definition.ts';
import { toolTasks, type ToolTask } from './data/tool-tasks.ts';

const manyTools = 10_000;
const limit = 20;

/** Listings as the built-in servers give them. */
const listings = new Map(
  builtInServers.map(({ definition }) => {
    const served = serveDefinition(definition);
    const tools = served.staticResult('tools/list')?.['tools'] as JsonObject[];
    const nothing = { prompts: [], resources: [], resourceTemplates: [] };
    const listing: Listing = { era: 'modern', server: served.identity, tools, ...nothing, caching: {} };
    return [definition.name, listing];
  }),
);

function viewOf(
  specs: readonly InstanceSpec[],
  listingOf: (spec: InstanceSpec) => Listing | undefined,
): View {
  const seeds = specs.map((spec) => {
    // A view reads no more of an instance than these.
    const instance = { spec, listing: listingOf(spec) } as unknown as Instance;
    return { alias: spec.alias, instances: [instance] };
  });
  return toSearchView(compileView('all', seeds, false), matchesAny(configShape.parse({}).toolSearch.listed));
}

const exchange: Exchange = {
  era: 'modern',
  peer: { key: 'bench', capabilities: {} },
  requestId: 'bench',
  signal: new AbortController().signal,
  notify() {},
};
const toolSearch = createToolSearch(async () => {
  throw new Error('nothing is called here');
});

async function find(view: View, args: JsonObject): Promise<{ names: string[]; tokens: number }> {
  const result = await toolSearch.callTool(view, { name: 'find_tools', arguments: args }, exchange);
  const { tools } = result['structuredContent'] as { tools: { name: string }[] };
  return { names: tools.map(({ name }) => name), tokens: estimateTokens(JSON.stringify(result['content'])) };
}

/** The place of the first right tool for each task, counted from 1; 0 where it is not among the first. */
async function ranksOf(view: View): Promise<Map<ToolTask, number>> {
  const ranks = new Map<ToolTask, number>();
  for (const one of toolTasks) {
    const { names } = await find(view, { query: one.task, limit, maxTokens: 20_000 });
    const rank = names.findIndex((name) => one.tools.includes(name)) + 1;
    ranks.set(one, rank);
    if (rank === 0 || rank > 5)
      console.log(
        `miss: ${one.task} → ${one.tools[0]} at ${rank || '-'}, before it ${names.slice(0, 3).join(', ')}`,
      );
  }
  return ranks;
}

/** Recall@1, recall@5, recall at the default length of an answer, and mean reciprocal rank. */
function success(ranks: ReadonlyMap<ToolTask, number>, language?: ToolTask['language']) {
  const own = [...ranks].filter(([task]) => language === undefined || task.language === language);
  const mean = (valueOf: (rank: number) => number) =>
    Math.round(
      (own.reduce((sum, [, rank]) => sum + (rank === 0 ? 0 : valueOf(rank)), 0) / own.length) * 1000,
    ) / 1000;
  const recall = (most: number) => mean((rank) => (rank <= most ? 1 : 0));
  return {
    tasks: own.length,
    recall1: recall(1),
    recall5: recall(5),
    recall8: recall(8),
    mrr: mean((rank) => 1 / rank),
  };
}

const sizeOf = (tools: readonly JsonObject[]): number => estimateTokens(JSON.stringify(tools));
const round = (value: number): number => Math.round(value * 10) / 10;

/** Built-in tools over and over, each server under a name of its own and with a word of its own in each tool. */
function manyToolsView(): View {
  const base = planBuiltIns(builtInServers.length, builtInServers, createPortLedger());
  const specs: InstanceSpec[] = [];
  const own = new Map<string, Listing>();
  for (let count = 0; count < manyTools;) {
    const model = base[specs.length % base.length]!;
    const listing = listings.get(model.name)!;
    const name = `${model.name}-x${specs.length}`;
    const tools = listing.tools.slice(0, manyTools - count).map((tool, at) => ({
      ...tool,
      description: `${String(tool['description'])} word${specs.length}w${at}`,
    }));
    own.set(name, { ...listing, tools });
    specs.push({ ...model, id: name, name, alias: name, listingKey: name });
    count += tools.length;
  }
  return viewOf(specs, ({ name }) => own.get(name));
}

async function microsAQuery(view: View, queries: readonly string[]): Promise<{ p50: number; p95: number }> {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    for (const query of queries) {
      const startedAtMs = performance.now();
      await find(view, { query });
      times.push((performance.now() - startedAtMs) * 1000);
    }
  }
  times.sort((a, b) => a - b);
  const at = (part: number) => Math.round(times[Math.floor(times.length * part)] ?? 0);
  return { p50: at(0.5), p95: at(0.95) };
}

const specs = planBuiltIns(builtInServers.length, builtInServers, createPortLedger());
const view = viewOf(specs, ({ name }) => listings.get(name));
const base = view.searched!;
const ranks = await ranksOf(view);
const answers = await Promise.all(toolTasks.map(({ task }) => find(view, { query: task })));
const answerTokens = round(answers.reduce((sum, { tokens }) => sum + tokens, 0) / answers.length);

const large = manyToolsView();
const buildStart = performance.now();
await find(large, { query: 'read a file' });
const buildMs = round(performance.now() - buildStart);
const micros = await microsAQuery(
  large,
  toolTasks.map(({ task }) => task),
);

console.log(
  JSON.stringify({
    bench: 'tool-search',
    tools: base.lists.tools.length,
    fullListTokens: sizeOf(base.lists.tools),
    searchListTokens: sizeOf(view.lists.tools),
    findAnswerTokens: answerTokens,
    all: success(ranks),
    english: success(ranks, 'en'),
    thai: success(ranks, 'th'),
    manyTools: large.searched!.lists.tools.length,
    manyListTokens: sizeOf(large.searched!.lists.tools),
    indexBuildMs: buildMs,
    queryMicros: micros,
  }),
);
