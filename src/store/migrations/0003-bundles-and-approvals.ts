/** Bundles added while the coordinator ran, and what was approved of each pinned server. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const bundlesAndApprovals: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('bundles')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('settings', 'text', (column) => column.notNull())
      .addColumn('added_at', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('approvals')
      .addColumn('server', 'text', (column) => column.primaryKey())
      .addColumn('approval', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .execute();
  },
};
