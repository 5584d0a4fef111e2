/** The tools of one mount made searchable, kept in step with its view a tool at a time. */

import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import type { Target, View } from '../view.ts';
import { createToolIndex, type ToolDocument } from './tool-index.ts';

/** A tool, with the names of the same tool on other instances. */
export interface FoundTool {
  readonly definition: JsonObject;
  readonly target: Target;
  readonly also: readonly string[];
}

export interface ToolFilter {
  readonly server?: string | undefined;
  readonly category?: string | undefined;
}

export interface SearchedTools {
  /** Takes over what has changed since the last view. */
  follow(view: View): void;
  /** The best `limit` tools, and how many there are in all. */
  find(query: string, filter: ToolFilter, limit: number): { tools: FoundTool[]; found: number };
  definition(name: string): JsonObject | undefined;
}

interface Known {
  readonly name: string;
  readonly key: string;
  readonly definition: JsonObject;
  readonly target: Target;
}

/** Parameters of nested objects are not looked at deeper than this. */
const maxDepth = 3;

const firstSentence = /(?<=[.!?])\s|\n/;

export function createSearchedTools(): SearchedTools {
  const index = createToolIndex();
  let current: View | undefined;
  let byName = new Map<string, Known>();
  /** Names that share a key, in the order of the view. */
  let byKey = new Map<string, Known[]>();

  function isSame(a: Known, b: Known | undefined): boolean {
    if (!b || a.key !== b.key) return false;
    const fields = ['title', 'description', 'inputSchema'] as const;
    return fields.every((field) => a.definition[field] === b.definition[field]);
  }

  return {
    follow(view) {
      if (view === current) return;
      current = view;
      const before = byKey;
      byName = new Map();
      byKey = new Map();
      for (const known of toolsOf(view)) {
        byName.set(known.name, known);
        const same = byKey.get(known.key);
        if (same) same.push(known);
        else byKey.set(known.key, [known]);
      }
      for (const key of before.keys()) if (!byKey.has(key)) index.remove(key);
      for (const [key, [first]] of byKey) {
        if (first && !isSame(first, before.get(key)?.[0])) index.put(documentOf(first));
      }
    },
    find(query, filter, limit) {
      const isFiltered = filter.server !== undefined || filter.category !== undefined;
      const membersOf = (key: string) => (byKey.get(key) ?? []).filter(({ target }) => fits(target, filter));
      const isFitting = isFiltered ? (key: string) => membersOf(key).length > 0 : undefined;
      const { hits, found } = index.search(query, limit, isFitting);
      const tools = hits.flatMap(({ key }) => {
        const [first, ...others] = membersOf(key);
        return first ? [{ ...first, also: others.map(({ name }) => name) }] : [];
      });
      return { tools, found };
    },
    definition: (name) => byName.get(name)?.definition,
  };
}

function* toolsOf(view: View): Generator<Known> {
  for (const definition of view.lists.tools) {
    const name = String(definition['name']);
    const target = view.tools.get(name);
    const spec = target?.group.instances[0]?.spec;
    if (!target || !spec) continue;
    // Instances that share a listing offer the same; a bundle may show one tool twice, each in its own way.
    const key = target.fixed ? `\0${name}` : `${spec.listingKey}\0${target.name}`;
    yield { name, key, definition, target };
  }
}

/** True when a filter names the server by its alias, its definition's name or its id, and the category. */
export function fits(target: Target, { server, category }: ToolFilter): boolean {
  const spec = target.group.instances[0]?.spec;
  if (!spec) return false;
  if (category !== undefined && spec.category !== category) return false;
  if (server === undefined) return true;
  return [spec.alias, spec.name, spec.id].includes(server);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function documentOf({ key, name, definition, target }: Known): ToolDocument {
  const names: string[] = [];
  const texts: string[] = [];
  collectParameters(definition['inputSchema'], names, texts, 0);
  const { alias, spec } = { alias: target.group.alias, spec: target.group.instances[0]?.spec };
  const description = textOf(definition['description']);
  const [summary = ''] = description.split(firstSentence, 1);
  const annotations = isJsonObject(definition['annotations']) ? definition['annotations'] : {};
  return {
    key,
    // What a bundle calls it says more than what its server does.
    name: target.fixed ? name : target.name,
    title: textOf(definition['title']) || textOf(annotations['title']),
    summary,
    details: description.slice(summary.length),
    parameters: names.join(' '),
    parameterTexts: texts.join('\n'),
    server: `${alias} ${spec?.title ?? ''} ${spec?.category ?? ''}`,
  };
}

function collectParameters(schema: unknown, names: string[], texts: string[], depth: number): void {
  if (!isJsonObject(schema) || depth > maxDepth) return;
  texts.push(textOf(schema['description']));
  const { properties, items } = schema;
  if (isJsonObject(properties)) {
    for (const [name, property] of Object.entries(properties)) {
      names.push(name);
      collectParameters(property, names, texts, depth + 1);
    }
  }
  collectParameters(items, names, texts, depth + 1);
}
