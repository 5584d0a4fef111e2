/** Where listings are kept. Part of the composition root, like `coordinator.ts`. */

import type { Listing, ListingStore } from './catalog/listing.ts';
import type { TenantStore } from './store/tenant-store.ts';

/** Listings of built-ins live for this process only: their code may change between two starts. */
export function createListingStore(store: TenantStore): ListingStore {
  const builtIn = new Map<string, Listing>();
  const isBuiltIn = (key: string) => key.startsWith('built-in:') || key.startsWith('in-process:');
  return {
    get: async (key) =>
      isBuiltIn(key) ? builtIn.get(key) : ((await store.listings.get(key)) as Listing | undefined),
    async put(key, listing) {
      if (isBuiltIn(key)) builtIn.set(key, listing);
      else await store.listings.put(key, listing);
    },
  };
}
