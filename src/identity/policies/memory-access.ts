/** One call of the memory for one caller: refused, let through, or let through with its answer cut down. */

import type { Action } from '../../kernel/actions.ts';
import type { MemoryPlace, PolicyQuery } from '../../kernel/authorizer.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import type { MemoryInput, MemoryOperation, MemoryOutput } from '../../kernel/memory/operations.ts';
import type { Decision } from './decide.ts';
import { cutAnswer, planMemoryCall } from './memory-plans.ts';
import type { CursorSeal } from './seal-cursor.ts';

export interface MemoryAccessParts {
  /** Of the caller; what the request has besides the place is in it. */
  readonly decide: (query: Pick<PolicyQuery, 'action' | 'place'>, mode?: 'possible') => Decision;
  /** Throws FORBIDDEN. */
  readonly refuse: (action: Action, decision: Decision, place?: MemoryPlace) => never;
  readonly seal: CursorSeal;
  /** Names the caller for cursors. */
  readonly caller: string;
}

export interface AdmittedCall<Op extends MemoryOperation> {
  readonly input: MemoryInput<Op>;
  /** Absent where the answer is for the caller as it is. */
  readonly cut?: (output: MemoryOutput<Op>) => MemoryOutput<Op>;
}

const everything: MemoryPlace = { prefix: '', isExact: false };
/** A page is cut down afterwards, so more is asked for, at most so much. */
const maxHits = 1000;
const defaultHits = 20;
const moreHits = 5;

/** Throws FORBIDDEN, and INVALID_INPUT for a cursor of somebody else. */
export function admitMemoryCall<Op extends MemoryOperation>(
  parts: MemoryAccessParts,
  operation: Op,
  input: MemoryInput<Op>,
): AdmittedCall<Op> {
  const { decide, refuse } = parts;
  const plan = planMemoryCall(operation, input);
  const { action, also = [], places, isCut = false } = plan;
  if (plan.touchesCoordinator === true) requireAll(parts, 'policy:manage', []);
  if (!isCut) {
    for (const each of [action, ...also]) requireAll(parts, each, places);
    const namesOthers =
      operation === 'links' && !decide({ action: 'memory:read', place: everything }).isAllowed;
    return namesOthers ? { input, cut: (output) => cutAnswer(operation, output, isVisible) } : { input };
  }
  if (places.every((place) => decide({ action, place }).isAllowed)) return { input };
  if (!places.some((place) => decide({ action, place }, 'possible').isAllowed)) {
    const [place] = places;
    refuse(action, decide({ action, place }), place);
  }
  return cutCall();

  function isVisible(scope: string, key: string): boolean {
    return decide({ action: 'memory:read', place: { scope, prefix: key, isExact: true } }).isAllowed;
  }

  function cutCall(): AdmittedCall<Op> {
    const { seal, caller } = parts;
    const given: JsonObject = { ...input };
    const { cursor, limit = defaultHits } = given;
    if (typeof cursor === 'string') given['cursor'] = seal.open(cursor, caller);
    if (operation === 'search') given['limit'] = Math.min(maxHits, Number(limit) * moreHits);
    return {
      input: given as MemoryInput<Op>,
      cut(output) {
        const answer: JsonObject = { ...(cutStats(cutAnswer(operation, output, isVisible)) as JsonObject) };
        const { nextCursor, hits } = answer;
        if (typeof nextCursor === 'string') answer['nextCursor'] = seal.seal(nextCursor, caller);
        if (operation === 'search' && Array.isArray(hits)) answer['hits'] = hits.slice(0, Number(limit));
        return answer as MemoryOutput<Op>;
      },
    };
  }

  /** Counts of what one may not read would tell how much there is. */
  function cutStats(output: MemoryOutput<Op>): unknown {
    if (operation !== 'stats') return output;
    const { scopes, ...rest } = output as MemoryOutput<'stats'>;
    const open = scopes.filter(
      ({ scope }) =>
        decide({ action: 'memory:read', place: { scope, prefix: '', isExact: false } }).isAllowed,
    );
    const sum = (field: 'keys' | 'bytes') => open.reduce((total, row) => total + row[field], 0);
    return { ...rest, keys: sum('keys'), bytes: sum('bytes'), scopes: open };
  }
}

function requireAll(
  { decide, refuse }: MemoryAccessParts,
  action: Action,
  places: readonly MemoryPlace[],
): void {
  if (places.length === 0) {
    const decision = decide({ action });
    if (!decision.isAllowed) refuse(action, decision);
  }
  for (const place of places) {
    const decision = decide({ action, place });
    if (!decision.isAllowed) refuse(action, decision, place);
  }
}

/** The result of a memory tool with its answer cut down; undefined for one that has no answer to cut. */
export function cutToolResult(
  result: JsonObject,
  cut: (output: JsonObject) => JsonObject,
): JsonObject | undefined {
  if (result['isError'] === true) return result;
  const { structuredContent } = result;
  if (!isJsonObject(structuredContent)) return undefined;
  const answer = cut(structuredContent);
  return { ...result, content: [{ type: 'text', text: JSON.stringify(answer) }], structuredContent: answer };
}
