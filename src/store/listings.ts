/**
 * Table `listings`: what each server offered when it was last asked. Those of one moment are written in one
 * transaction: thousands of servers that are asked at a start would else hold up the process with a sync each.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface Listings extends AsyncDisposable {
  /** The stored JSON value, or undefined. */
  get(key: string): Promise<unknown>;
  /** Resolves when it is on disk, which may take a moment; `get` knows it at once. */
  put(key: string, listing: unknown): Promise<void>;
}

/** How long listings are gathered, milliseconds. */
const gatherMs = 250;

export function createListings(db: Kysely<Tables>): Listings {
  let waiting = new Map<string, string>();
  /** The transaction that takes what is waiting. */
  let next: Promise<void> | undefined;
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  async function write(): Promise<void> {
    await sleep(gatherMs, undefined, { signal: closing.signal, ref: false }).catch(() => {});
    const listings = waiting;
    waiting = new Map();
    next = undefined;
    const updatedAt = new Date().toISOString();
    await db.transaction().execute(async (transaction) => {
      for (const [key, listing] of listings) {
        const row = { listing, updated_at: updatedAt };
        await transaction
          .insertInto('listings')
          .values({ key, ...row })
          .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
          .execute();
      }
    });
  }

  function writeSoon(): Promise<void> {
    const run = write().finally(() => running.delete(run));
    running.add(run);
    return run;
  }

  return {
    async get(key) {
      const fresh = waiting.get(key);
      if (fresh !== undefined) return JSON.parse(fresh);
      const row = await db.selectFrom('listings').select('listing').where('key', '=', key).executeTakeFirst();
      return row && JSON.parse(row.listing);
    },
    put(key, listing) {
      waiting.set(key, JSON.stringify(listing));
      next ??= writeSoon();
      return next;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.allSettled(running);
    },
  };
}
