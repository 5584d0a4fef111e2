/** What a key says of its bearer beside the role. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const keyAttributes: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('api_keys').addColumn('attributes', 'text').execute();
  },
};
