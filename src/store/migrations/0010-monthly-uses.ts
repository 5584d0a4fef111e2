/** What was counted against monthly limits. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const monthlyUsesTable: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('monthly_uses')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('bucket', 'text', (column) => column.notNull())
      .addColumn('month', 'text', (column) => column.notNull())
      .addColumn('used', 'integer', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('monthly_uses_key', ['tenant', 'bucket', 'month'])
      .execute();
  },
};
