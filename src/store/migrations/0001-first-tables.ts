/** Listings of servers, and servers added while the coordinator ran. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const firstTables: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('listings')
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('listing', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('added_servers')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('entry', 'text', (column) => column.notNull())
      .addColumn('added_at', 'text', (column) => column.notNull())
      .execute();
  },
};
