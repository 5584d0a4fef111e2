/** A mount as `?tools=search` shows it: three tools that lead to all others, and the few that are always listed. */

import { hash } from 'node:crypto';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import type { View } from '../view.ts';
import { searchToolDefinitions } from './definitions.ts';

/** Appended to a mount's key. */
export const searchSuffix = '?tools=search';

/** How long clients may keep the list: it hardly ever changes, and a change is announced. */
const ttlMs = 300_000;

/** The view of search mode over `base`; calls still reach every tool of `base`. */
export function toSearchView(base: View, alwaysListed: (name: string) => boolean = () => false): View {
  const own = new Set(searchToolDefinitions.map(({ name }) => name));
  const listed = base.lists.tools.filter(
    ({ name }) => !own.has(name as string) && alwaysListed(String(name)),
  );
  const tools: JsonObject[] = [...searchToolDefinitions, ...listed];
  return {
    ...base,
    key: base.key + searchSuffix,
    searched: base,
    lists: { ...base.lists, tools },
    caching: { ...base.caching, tools: { ttlMs, cacheScope: base.caching.tools.cacheScope } },
    instructions: instructionsFor(base),
    get fingerprint() {
      return { ...base.fingerprint, tools: hash('sha1', JSON.stringify(tools), 'hex') };
    },
  };
}

function instructionsFor(base: View): string {
  const how =
    'Only a few tools are listed; find_tools finds the others by what they do, describe_tool shows their full definitions, call_tool calls them. Look for a tool before saying that something cannot be done.';
  return base.instructions === undefined ? how : `${base.instructions}\n\n${how}`;
}
