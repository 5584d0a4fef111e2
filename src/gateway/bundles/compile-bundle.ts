/** A bundle as a view: the chosen tools of `/mcp` under their new names, and nothing else. */

import { hash } from 'node:crypto';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { fitsPattern } from '../../kernel/name-patterns.ts';
import { type Group, type Target, type View } from '../view.ts';
import type { Bundle, BundleTool } from './bundles.ts';
import { withoutFixed } from './fixed-arguments.ts';

/** A name shown and the tool of `/mcp` behind it; `tool` is a pattern that fits none when it is missing. */
export interface Choice {
  readonly name: string;
  readonly tool: string;
  readonly wanted: BundleTool;
}

/** Every tool a bundle chooses, in its order; those that `all` does not have now are in `missing`. */
export function chooseTools(bundle: Bundle, all: View): { chosen: Choice[]; missing: string[] } {
  const chosen = new Map<string, Choice>();
  const missing: string[] = [];
  for (const wanted of bundle.tools) {
    const tools = namesFitting(wanted.tool, all);
    if (tools.length === 0) missing.push(wanted.tool);
    for (const tool of tools) {
      const name = wanted.name ?? tool;
      // The first of one name stays: a tool that is named before a pattern keeps its own words.
      if (!chosen.has(name)) chosen.set(name, { name, tool, wanted });
    }
  }
  return { chosen: [...chosen.values()], missing };
}

function namesFitting(pattern: string, { tools }: View): string[] {
  if (!pattern.endsWith('*')) return tools.has(pattern) ? [pattern] : [];
  return [...tools.keys()].filter((name) => fitsPattern(pattern, name));
}

export function compileBundle(key: string, bundle: Bundle, all: View): View {
  const definitions = new Map(all.lists.tools.map((definition) => [definition['name'], definition]));
  const list: JsonObject[] = [];
  const tools = new Map<string, Target>();
  for (const { name, tool, wanted } of chooseTools(bundle, all).chosen) {
    const target = all.tools.get(tool);
    const definition = definitions.get(tool);
    if (!target) continue;
    const isChanged = wanted.name !== undefined || wanted.arguments !== undefined;
    tools.set(name, isChanged ? { ...target, fixed: wanted.arguments ?? {} } : target);
    // One held back until it is approved has a target, so that a call says why, and no definition.
    if (definition) list.push(shown(definition, name, wanted));
  }
  const groups: Group[] = [...new Set([...tools.values()].map(({ group }) => group))];
  const nothing = hash('sha1', '', 'hex');
  return {
    key,
    isSingle: false,
    isBundle: true,
    title: bundle.title ?? bundle.name,
    ...(bundle.description !== undefined && { instructions: bundle.description }),
    groups,
    lists: { tools: list, prompts: [], resources: [], resourceTemplates: [] },
    caching: all.caching,
    tools,
    prompts: new Map(),
    resolveUri: () => undefined,
    get fingerprint() {
      const print = hash('sha1', JSON.stringify(list), 'hex');
      return { tools: print, prompts: nothing, resources: nothing, resourceTemplates: nothing };
    },
  };
}

function shown(definition: JsonObject, name: string, wanted: BundleTool): JsonObject {
  const { title, description, arguments: fixed } = wanted;
  return {
    ...definition,
    name,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(fixed && { inputSchema: withoutFixed(definition['inputSchema'], fixed) }),
  };
}
