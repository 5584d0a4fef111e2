/**
 * Table `listings`: what each server offered when it was last asked. Those of one moment are written in one
 * transaction: thousands of servers that are asked at a start would else hold up the process with a sync each.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { TenantDb } from './tenant-db.ts';

export interface Listings extends AsyncDisposable {
  /** The stored JSON value, or undefined. */
  get(tenant: string, key: string): Promise<unknown>;
  /** Resolves when it is on disk, which may take a moment; `get` knows it at once. */
  put(tenant: string, key: string, listing: unknown): Promise<void>;
}

/** How long listings are gathered, milliseconds. */
const gatherMs = 250;

/** Those of one tenant that are to be written. */
interface Batch {
  readonly listings: Map<string, string>;
  readonly written: Promise<void>;
}

export function createListings(db: TenantDb): Listings {
  const waiting = new Map<string, Batch>();
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  async function write(tenant: string, listings: ReadonlyMap<string, string>): Promise<void> {
    await sleep(gatherMs, undefined, { signal: closing.signal, ref: false }).catch(() => {});
    waiting.delete(tenant);
    const updatedAt = new Date().toISOString();
    await db.write(tenant, async (tables) => {
      for (const [key, listing] of listings) {
        const row = { listing, updated_at: updatedAt };
        await tables
          .insertInto('listings')
          .values({ tenant, key, ...row })
          .onConflict((conflict) => conflict.columns(['tenant', 'key']).doUpdateSet(row))
          .execute();
      }
    });
  }

  function openBatch(tenant: string): Batch {
    const listings = new Map<string, string>();
    const written = write(tenant, listings).finally(() => running.delete(written));
    running.add(written);
    const batch = { listings, written };
    waiting.set(tenant, batch);
    return batch;
  }

  return {
    async get(tenant, key) {
      const fresh = waiting.get(tenant)?.listings.get(key);
      if (fresh !== undefined) return JSON.parse(fresh);
      const row = await db.read(tenant, (tables) =>
        tables
          .selectFrom('listings')
          .select('listing')
          .where('tenant', '=', tenant)
          .where('key', '=', key)
          .executeTakeFirst(),
      );
      return row && JSON.parse(row.listing);
    },
    put(tenant, key, listing) {
      const { listings, written } = waiting.get(tenant) ?? openBatch(tenant);
      listings.set(key, JSON.stringify(listing));
      return written;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.allSettled(running);
    },
  };
}
