/** `find_tools`, `describe_tool` and `call_tool`: few tools in the client's list, all of them within reach. */

import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { estimateTokens, fitTokens } from '../../kernel/text/token-budget.ts';
import type { Exchange } from '../exchange.ts';
import type { Invoker } from '../invoke.ts';
import type { View } from '../view.ts';
import { argumentFaults } from './check-arguments.ts';
import { defaultLimit, defaultMaxTokens, searchToolDefinitions } from './definitions.ts';
import { createSearchedTools, fits, type SearchedTools, type ToolFilter } from './searched-tools.ts';
import { summarizeTool } from './summarize-tool.ts';

export interface ToolSearch {
  /** `tools/call` in a view of search mode. What a model can put right is a result with `isError`. */
  callTool(view: View, params: JsonObject, exchange: Exchange): Promise<JsonObject>;
}

/** Mounts whose tools are kept searchable at a time. */
const maxSearched = 50;
/** A larger schema is not quoted in a complaint: `describe_tool` shows it. */
const maxQuotedTokens = 1500;

export function createToolSearch(callTool: Invoker['callTool']): ToolSearch {
  const byMount = new Map<string, SearchedTools>();

  function searched(view: View): SearchedTools {
    const key = view.audience === undefined ? view.key : `${view.key} ${view.audience}`;
    const tools = byMount.get(key) ?? createSearchedTools();
    // The one used last comes last.
    byMount.delete(key);
    byMount.set(key, tools);
    const [oldest] = byMount.keys();
    if (byMount.size > maxSearched && oldest !== undefined) byMount.delete(oldest);
    tools.follow(view);
    return tools;
  }

  function find(base: View, args: JsonObject): JsonObject {
    const { query, server, category, limit = defaultLimit, maxTokens = defaultMaxTokens } = args as FindInput;
    const filter = { server, category };
    if (query === undefined || query.trim() === '') return overview(base, filter, maxTokens);
    const { tools, found } = searched(base).find(query, filter, limit);
    const { items } = fitTokens(tools.map(summarizeTool), maxTokens, {});
    return { tools: items, found };
  }

  function describe(base: View, names: readonly string[]): JsonObject {
    const tools = searched(base);
    const known = names.map((name) => tools.definition(name));
    return {
      tools: known.filter((definition) => definition !== undefined),
      unknown: names.filter((_, at) => known[at] === undefined),
    };
  }

  /** The call as the client would have made it directly, so that progress, input and cancellation are the same. */
  async function call(base: View, params: JsonObject, exchange: Exchange): Promise<JsonObject> {
    const given = isJsonObject(params['arguments']) ? params['arguments'] : {};
    const name = String(given['name']);
    const args = isJsonObject(given['arguments']) ? given['arguments'] : {};
    const tools = searched(base);
    const definition = tools.definition(name);
    // A tool held back has a definition for nobody; the call says why.
    if (!definition && !base.tools.has(name)) return failed(unknownTool(name, tools), exchange);
    const faults = argumentFaults(definition?.['inputSchema'], args);
    if (faults.length > 0) return failed(misfit(name, faults, definition?.['inputSchema']), exchange);
    return await callTool(base, { ...params, name, arguments: args }, exchange);
  }

  return {
    async callTool(view, params, exchange) {
      const base = view.searched ?? view;
      const definition = searchToolDefinitions.find(({ name }) => name === params['name']);
      if (!definition) return await callTool(base, params, exchange);
      const args = argumentsOf(definition.name, params['arguments']);
      const faults = argumentFaults(definition['inputSchema'], args);
      if (faults.length > 0)
        return failed(misfit(definition.name, faults, definition['inputSchema']), exchange);
      if (definition.name === 'call_tool') return await call(base, { ...params, arguments: args }, exchange);
      const answer =
        definition.name === 'find_tools' ? find(base, args) : describe(base, args['names'] as string[]);
      return complete(answer, exchange);
    },
  };
}

/** What the schema of `find_tools` lets through. */
interface FindInput extends ToolFilter {
  readonly query?: string;
  readonly limit?: number;
  readonly maxTokens?: number;
}

/** Some models write the inner arguments as JSON text. */
function argumentsOf(name: string, value: unknown): JsonObject {
  if (value === undefined) return {};
  if (!isJsonObject(value))
    throw new AppError('INVALID_INPUT', { field: 'arguments', problem: 'must be an object' });
  const inner = value['arguments'];
  if (name !== 'call_tool' || typeof inner !== 'string') return value;
  try {
    return { ...value, arguments: JSON.parse(inner) as unknown };
  } catch {
    return value;
  }
}

/** The servers of a mount with the number of their tools; instances of one definition in one row. */
function overview(base: View, filter: ToolFilter, maxTokens: number): JsonObject {
  const rows = new Map<string, { server: string; title: string; category: string; tools: Set<string> }>();
  for (const target of base.tools.values()) {
    const spec = target.group.instances[0]?.spec;
    if (!spec || target.isHeld || !fits(target, filter)) continue;
    const { name: server, title, category } = spec;
    const key = `${server}\0${category}`;
    const row = rows.get(key) ?? { server, title, category, tools: new Set() };
    rows.set(key, row);
    row.tools.add(target.name);
  }
  const servers = [...rows.values()].map((row) => ({ ...row, tools: row.tools.size }));
  const found = servers.reduce((sum, { tools }) => sum + tools, 0);
  return { tools: [], found, servers: fitTokens(servers, maxTokens, {}).items };
}

function unknownTool(name: string, tools: SearchedTools): string {
  const near = tools.find(name, {}, 3);
  const names = near.tools.map(({ definition }) => String(definition['name'])).join(', ');
  const hint = names === '' ? '' : ` Perhaps one of: ${names}.`;
  return `There is no tool ${name}.${hint} Find the name with find_tools.`;
}

function misfit(name: string, faults: readonly string[], schema: unknown): string {
  const text = JSON.stringify(schema);
  const quote =
    estimateTokens(text) > maxQuotedTokens
      ? `Its input schema is long: see describe_tool with names ["${name}"].`
      : `Its input schema: ${text}`;
  return [`The arguments do not fit ${name}:`, ...faults.map((fault) => `- ${fault}`), quote].join('\n');
}

function complete(answer: JsonObject, exchange: Exchange): JsonObject {
  return {
    ...(exchange.era === 'modern' && { resultType: 'complete' }),
    content: [{ type: 'text', text: JSON.stringify(answer) }],
    structuredContent: answer,
  };
}

function failed(text: string, exchange: Exchange): JsonObject {
  return {
    ...(exchange.era === 'modern' && { resultType: 'complete' }),
    isError: true,
    content: [{ type: 'text', text }],
  };
}
