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
 * stronger one either: it would share its prefix in `/mcp`, or get its calls in a category.
 */
export function claimIds<C extends Claimant>(
  claimants: Iterable<C>,
): { winners: ReadonlyMap<string, C>; conflicts: readonly Conflict<C>[] } {
  const winners = new Map<string, C>();
  const names = new Map<string, C>();
  const conflicts: Conflict<C>[] = [];
  for (const claimant of claimants) {
    const goesBy = [claimant.id, idOf(claimant.group ?? claimant.name)];
    const isGuest = guests.includes(claimant.source);
    const winner = winners.get(claimant.id) ?? (isGuest ? namesake(goesBy, claimant, names) : undefined);
    if (winner) {
      conflicts.push({ claimant, winner });
      continue;
    }
    winners.set(claimant.id, claimant);
    for (const name of goesBy) if (!names.has(name)) names.set(name, claimant);
  }
  return { winners, conflicts };
}

/**
 * A stronger one whose tools could be taken for the claimant's. `a` with a tool `b__c` and `a__b` with a tool `c`
 * would both be `a__b__c`, so a name that goes on after `__` counts too.
 */
function namesake<C extends Claimant>(
  goesBy: readonly string[],
  claimant: C,
  names: ReadonlyMap<string, C>,
): C | undefined {
  for (const [name, other] of names) {
    if (isSameGroup(other, claimant)) continue;
    const isNear = goesBy.some(
      (own) => own === name || own.startsWith(`${name}__`) || name.startsWith(`${own}__`),
    );
    if (isNear) return other;
  }
  return undefined;
}

function isSameGroup(a: Claimant, b: Claimant): boolean {
  return a.group !== undefined && a.group === b.group && a.source === b.source;
}
