/** Who has an id when several sources offer a server under it. */

import type { ServerSource } from './instance-spec.ts';
import { idOf } from './plan-entries.ts';

/** A server that a source offers. */
export interface Claimant {
  readonly id: string;
  readonly name: string;
  readonly source: ServerSource;
  readonly origin?: string;
  /** Claimants of one group are interchangeable and go by the group's name. */
  readonly group?: string;
}

/** One that does not run because a stronger source has its id, or a name that its tools would go by. */
export interface Conflict<C extends Claimant = Claimant> {
  readonly claimant: C;
  readonly winner: C;
}

/** Sources that are found and not written down by the operator. */
const guests: readonly ServerSource[] = ['registered', 'folder', 'dns', 'client'];

/**
 * Winners by id. `claimants` come in the order of their precedence. A found server must not go by the name of a
 * stronger one either: it would share its prefix in `/mcp`, or get its calls in a category. Linear in the claimants.
 */
export function claimIds<C extends Claimant>(
  claimants: Iterable<C>,
): { winners: ReadonlyMap<string, C>; conflicts: readonly Conflict<C>[] } {
  const winners = new Map<string, C>();
  const names = createNames<C>();
  const conflicts: Conflict<C>[] = [];
  for (const claimant of claimants) {
    const goesBy = namesOf(claimant);
    const isGuest = guests.includes(claimant.source);
    const winner = winners.get(claimant.id) ?? (isGuest ? names.namesake(goesBy, claimant) : undefined);
    if (winner) {
      conflicts.push({ claimant, winner });
      continue;
    }
    winners.set(claimant.id, claimant);
    for (const name of goesBy) names.add(name, claimant);
  }
  return { winners, conflicts };
}

/** An offer is claimed for again with each change of any source; its names stay. */
const knownNames = new WeakMap<Claimant, readonly string[]>();

function namesOf(claimant: Claimant): readonly string[] {
  const known = knownNames.get(claimant);
  if (known) return known;
  const names = [...new Set([claimant.id, idOf(claimant.group ?? claimant.name)])];
  knownNames.set(claimant, names);
  return names;
}

interface Names<C> {
  add(name: string, claimant: C): void;
  /**
   * A stronger one whose tools could be taken for the claimant's. `a` with a tool `b__c` and `a__b` with a tool `c`
   * would both be `a__b__c`, so a name that goes on after `__` counts too.
   */
  namesake(goesBy: readonly string[], claimant: C): C | undefined;
}

function createNames<C extends Claimant>(): Names<C> {
  const owners = new Map<string, C>();
  /** Who has a name that goes on after this and `__`: the first, and the first that is not of its group. */
  const longer = new Map<string, C[]>();
  return {
    add(name, claimant) {
      if (owners.has(name)) return;
      owners.set(name, claimant);
      for (const beginning of beginningsOf(name)) {
        const some = longer.get(beginning) ?? [];
        if (some.length === 0) longer.set(beginning, some);
        const [first, second] = some;
        if (!first || (!second && !isSameGroup(first, claimant))) some.push(claimant);
      }
    },
    namesake(goesBy, claimant) {
      for (const own of goesBy) {
        const near = [own, ...beginningsOf(own)].flatMap((name) => owners.get(name) ?? []);
        const other = [...near, ...(longer.get(own) ?? [])].find((one) => !isSameGroup(one, claimant));
        if (other) return other;
      }
      return undefined;
    },
  };
}

/** What stands before each `__` of a name: `a__b__c` → `a`, `a__b`. */
function* beginningsOf(name: string): Generator<string> {
  for (let at = name.indexOf('__'); at >= 0; at = name.indexOf('__', at + 1)) yield name.slice(0, at);
}

function isSameGroup(a: Claimant, b: Claimant): boolean {
  return a.group !== undefined && a.group === b.group && a.source === b.source;
}
