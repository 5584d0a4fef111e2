/** What happened to servers because of where they come from. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const serverChangesTable: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('server_changes')
      .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('at', 'text', (column) => column.notNull())
      .addColumn('action', 'text', (column) => column.notNull())
      .addColumn('server', 'text', (column) => column.notNull())
      .addColumn('source', 'text', (column) => column.notNull())
      .addColumn('origin', 'text')
      .addColumn('problem', 'text')
      .execute();
  },
};
