/** The servers of a pool that a selector or a name stands for. */

import type { Instance } from '../pool/instance.ts';
import type { Pool } from '../pool/pool.ts';
import { isSelected, parseSelector, type Selectable } from './selector.ts';

/** Those that the selector chooses, in their order. Throws INVALID_INPUT. */
export function selectServers(instances: readonly Instance[], select: string): Instance[] {
  const terms = parseSelector(select);
  return instances.filter((instance) => isSelected(terms, toSelectable(instance)));
}

function toSelectable({ spec, state }: Instance): Selectable {
  return {
    id: spec.id,
    name: spec.name,
    alias: spec.alias,
    category: spec.category,
    tag: spec.tags ?? [],
    state,
    source: spec.source,
    transport: spec.launch.kind,
    port: String(spec.port),
    lazy: String(spec.lazy),
  };
}

/** By id, alias or port. */
export function findServer(pool: Pool, id: string): Instance | undefined {
  return pool.get(id) ?? pool.instances().find(({ spec }) => spec.alias === id || String(spec.port) === id);
}
