/** Git remotes of the memory that were added while the coordinator ran. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const addedRemotes: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('added_remotes')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('entry', 'text', (column) => column.notNull())
      .addColumn('added_at', 'text', (column) => column.notNull())
      .execute();
  },
};
