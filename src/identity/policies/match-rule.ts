/** Whether a rule is about a request: by server, category, tool, and place in the memory. */

import type { PolicyRule } from '../../contract/policy-shape.ts';
import { actionTable } from '../../kernel/actions.ts';
import type { MemoryPlace, PolicyQuery } from '../../kernel/authorizer.ts';
import { fitsPattern } from '../../kernel/name-patterns.ts';
import type { Narrowing } from '../../kernel/principal.ts';

/** How a rule has to be about memories: all of those asked for, or some. */
export type Reach = 'covers' | 'touches';

function fitsAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => fitsPattern(pattern, name));
}

function fitsTool(patterns: readonly string[], { tool, server }: PolicyQuery): boolean {
  if (!tool) return false;
  return (
    fitsAny(patterns, tool.name) || (server !== undefined && fitsAny(patterns, `${server.id}__${tool.name}`))
  );
}

function fitsScope(patterns: readonly string[], place: MemoryPlace | undefined, reach: Reach): boolean {
  if (!place) return false;
  if (place.scope === undefined) return reach === 'touches' || patterns.includes('*');
  return fitsAny(patterns, place.scope);
}

function fitsPrefix(prefixes: readonly string[], place: MemoryPlace | undefined, reach: Reach): boolean {
  if (!place) return false;
  return prefixes.some(
    (prefix) =>
      place.prefix.startsWith(prefix) ||
      (reach === 'touches' && !place.isExact && prefix.startsWith(place.prefix)),
  );
}

/** True when the rule, its condition aside, is about the request. */
export function isAbout(rule: PolicyRule, query: PolicyQuery, reach: Reach): boolean {
  const { servers, categories, tools, scopes, prefixes } = rule;
  return (
    (!servers || (query.server !== undefined && fitsAny(servers, query.server.id))) &&
    (!categories || (query.server !== undefined && fitsAny(categories, query.server.category))) &&
    (!tools || fitsTool(tools, query)) &&
    (!scopes || fitsScope(scopes, query.place, reach)) &&
    (!prefixes || fitsPrefix(prefixes, query.place, reach))
  );
}

/** What a narrowed key keeps: calls, and the memory's own places. */
const narrowable = /^(?:tools|prompts|resources|methods):|^memory:(?:read|write|delete)$|:read$/;

/** What in a key's narrowing is against the request; undefined when nothing is. */
export function heldBack(narrowing: Narrowing, query: PolicyQuery, reach: Reach): string | undefined {
  const { action, server } = query;
  const { servers, tools, scopes } = narrowing;
  const { by } = actionTable[action];
  if (!narrowable.test(action)) return 'narrowing';
  if (by === 'nothing') return undefined;
  // The memory, too, is reached over its servers only.
  if (servers && !(server && fitsAny(servers, server.id))) return 'narrowing.servers';
  // Whoever has tools only has no other way to what is behind them.
  if (tools && action !== 'servers:read' && !fitsTool(tools, query)) return 'narrowing.tools';
  if (scopes && by === 'place' && !fitsScope(scopes, query.place, reach)) return 'narrowing.scopes';
  return undefined;
}
