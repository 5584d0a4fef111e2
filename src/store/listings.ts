/** Table `listings`: what each server offered when it was last asked. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface Listings {
  /** The stored JSON value, or undefined. */
  get(key: string): Promise<unknown>;
  put(key: string, listing: unknown): Promise<void>;
}

export function createListings(db: Kysely<Tables>): Listings {
  return {
    async get(key) {
      const row = await db.selectFrom('listings').select('listing').where('key', '=', key).executeTakeFirst();
      return row && JSON.parse(row.listing);
    },
    async put(key, listing) {
      const row = { listing: JSON.stringify(listing), updated_at: new Date().toISOString() };
      await db
        .insertInto('listings')
        .values({ key, ...row })
        .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
        .execute();
    },
  };
}
