/** How many replicas a server may have, where someone has said otherwise than the config. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const scaleBoundsTable: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('scale_bounds')
      .addColumn('server', 'text', (column) => column.primaryKey())
      .addColumn('least', 'integer', (column) => column.notNull())
      .addColumn('most', 'integer', (column) => column.notNull())
      .addColumn('set_at', 'text', (column) => column.notNull())
      .execute();
  },
};
