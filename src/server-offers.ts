/** Offers that are not entries of `mcpServers`, and what an operator changed of any. Part of the composition root. */

import type { PortLedger } from './catalog/categories.ts';
import type { InstanceSpec } from './catalog/instance-spec.ts';
import { applyChanges, type SpecChanges } from './catalog/spec-changes.ts';
import type { Offer } from './server-reconcile.ts';

/** What an operator changed of a server, by its id. */
export type ChangesOf = (id: string) => SpecChanges | undefined;

/** A built-in instance whose place is settled. */
export function specOffer(spec: InstanceSpec, ports: PortLedger): Offer {
  return {
    id: spec.id,
    name: spec.alias === '' ? spec.name : spec.alias,
    source: spec.source,
    resolve: async () => spec,
    toSpec() {
      ports.take(spec.category, spec.port);
      return spec;
    },
  };
}

interface Changed {
  readonly own: unknown;
  readonly changes: SpecChanges | null;
}

/** The offer with what was changed; it is another instance when that changes. */
export function changedOffer(offer: Offer, changesOf: ChangesOf): Offer {
  return {
    ...offer,
    async resolve(): Promise<Changed> {
      return { own: await offer.resolve(), changes: changesOf(offer.id) ?? null };
    },
    toSpec(resolved, former) {
      const { own, changes } = resolved as Changed;
      const spec = offer.toSpec(own, former);
      return changes ? applyChanges(spec, changes) : spec;
    },
  };
}

/** Where a server that REST cannot remove is removed. */
export function wayOut({ source, origin }: InstanceSpec): string {
  if (source === 'config') return 'the config file: remove it there';
  if (source === 'built-in') return 'the number of built-in servers: start fewer';
  if (source === 'deployed') return 'a deployment: take out its phase with servers undeploy';
  return `${source} ${origin}: remove it there, or switch it off under mcpServers in the config`;
}
