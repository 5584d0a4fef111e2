/** What each operation of the memory touches, and what of its answer names memories that the caller did not name. */

import type { Action } from '../../kernel/actions.ts';
import type { MemoryPlace } from '../../kernel/authorizer.ts';
import { operationActions } from '../../kernel/memory/operation-actions.ts';
import type { MemoryInput, MemoryOperation, MemoryOutput } from '../../kernel/memory/operations.ts';

/** True for a memory that the caller may read. */
export type IsVisible = (scope: string, key: string) => boolean;

export interface MemoryPlan {
  readonly action: Action;
  /** Further actions on the same places. */
  readonly also?: readonly Action[];
  /** Empty where it is about no memory in particular. */
  readonly places: readonly MemoryPlace[];
  /** It may be done where some of the places are open: the answer is cut down to these. */
  readonly isCut?: boolean;
  /** It may change what the coordinator keeps. */
  readonly touchesCoordinator?: boolean;
}

const defaultScope = 'shared';
/** Where the coordinator keeps the policy and the catalog. */
export const coordinatorScope = 'coordinator';

const everything: MemoryPlace = { prefix: '', isExact: false };

interface Placed {
  readonly scope?: string | undefined;
  readonly key: string;
}

const one = ({ scope = defaultScope, key }: Placed): MemoryPlace => ({
  scope,
  prefix: key.normalize('NFC'),
  isExact: true,
});

const under = (scope: string | undefined, prefix = ''): MemoryPlace => ({
  scope,
  prefix: prefix.normalize('NFC'),
  isExact: false,
});

type Planners = {
  readonly [Op in MemoryOperation]: (
    input: MemoryInput<Op>,
  ) => Omit<MemoryPlan, 'action'> & { readonly action?: Action };
};

const exact = (input: Placed) => ({ places: [one(input)] });
const nowhere = () => ({ places: [] });

const planners: Planners = {
  retrieve: exact,
  history: exact,
  diff: exact,
  links: exact,
  store: exact,
  append: exact,
  increment: exact,
  resolve: exact,
  delete: exact,
  list: ({ scope = defaultScope, prefix }) => ({ places: [under(scope, prefix)], isCut: true }),
  search: ({ scope, prefix }) => ({
    places: (Array.isArray(scope) ? scope : [scope]).map((each) => under(each, prefix)),
    isCut: true,
  }),
  changes: ({ scope, prefix }) => ({ places: [under(scope, prefix)], isCut: true }),
  conflicts: ({ scope, prefix }) => ({ places: [under(scope, prefix)], isCut: true }),
  stats: () => ({ places: [everything], isCut: true }),
  store_many: ({ scope, entries }) => ({ places: entries.map(({ key }) => one({ scope, key })) }),
  restore({ scope, key, prefix, all }) {
    if (key !== undefined) return { places: [one({ scope, key })] };
    const places = [under(all ? scope : (scope ?? defaultScope), prefix)];
    // What did not exist then is deleted.
    return { places, also: ['memory:delete'], touchesCoordinator: all === true && scope === undefined };
  },
  snapshot: ({ action }) =>
    action === 'list'
      ? { action: 'memory:read', places: [everything], isCut: true }
      : { places: [everything] },
  workspace({ action }) {
    if (action === 'list' || action === 'diff')
      return { action: 'memory:read', places: [everything], isCut: true };
    return { places: [everything], ...(action === 'merge' && { also: ['memory:delete' as const] }) };
  },
  forget({ level, scope = defaultScope, keys, prefix }) {
    // A subject's data may be anywhere.
    if (level === 'shred') return { places: [everything] };
    return { places: keys ? keys.map((key) => one({ scope, key })) : [under(scope, prefix)] };
  },
  rekey: nowhere,
  backup: nowhere,
  verify: nowhere,
  reindex: nowhere,
  sync: nowhere,
};

const changing = /^memory:(?:write|delete|forget)$/;

/** What has to be allowed for a call; its input has been checked. */
export function planMemoryCall<Op extends MemoryOperation>(
  operation: Op,
  input: MemoryInput<Op>,
): MemoryPlan {
  const planned = planners[operation](input);
  const action = planned.action ?? operationActions[operation];
  const isClosed = changing.test(action) && planned.places.some(({ scope }) => scope === coordinatorScope);
  return { ...planned, action, touchesCoordinator: isClosed || planned.touchesCoordinator === true };
}

type Cutters = {
  readonly [Op in MemoryOperation]?: (output: MemoryOutput<Op>, isVisible: IsVisible) => MemoryOutput<Op>;
};

type AnyPlace = { readonly scope?: string | undefined; readonly key?: string | undefined };
const seen = (isVisible: IsVisible) => (at: AnyPlace) =>
  at.scope !== undefined && at.key !== undefined && isVisible(at.scope, at.key);

const cutters: Cutters = {
  list: (output, isVisible) => ({ ...output, items: output.items.filter(seen(isVisible)) }),
  search(output, isVisible) {
    const { omitted: _omitted, ...rest } = output;
    return { ...rest, hits: output.hits.filter(seen(isVisible)) };
  },
  changes: (output, isVisible) => ({ ...output, changes: output.changes.filter(seen(isVisible)) }),
  conflicts: (output, isVisible) => ({ ...output, conflicts: output.conflicts.filter(seen(isVisible)) }),
  links(output, isVisible) {
    const see = seen(isVisible);
    // What is reached through a hidden memory tells that it is there.
    const nodes = output.nodes.filter((node) => see(node) && see(node.via.from));
    return {
      ...output,
      nodes,
      missing: output.missing.filter((link) => see(link) && see(link.from)),
      omitted: 0,
    };
  },
  workspace(output, isVisible) {
    return output.changes
      ? { ...output, changes: output.changes.filter(seen(isVisible)), omitted: 0 }
      : output;
  },
};

/** The answer without what the caller may not read; the answer itself where it names nothing of others. */
export function cutAnswer<Op extends MemoryOperation>(
  operation: Op,
  output: MemoryOutput<Op>,
  isVisible: IsVisible,
): MemoryOutput<Op> {
  return cutters[operation]?.(output, isVisible) ?? output;
}
