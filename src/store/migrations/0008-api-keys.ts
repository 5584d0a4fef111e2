/** Keys of people and machines. Of a key only its hash is kept. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const apiKeysTable: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('api_keys')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text')
      .addColumn('revoked_at', 'text')
      .addColumn('last_used_at', 'text')
      .addPrimaryKeyConstraint('api_keys_key', ['tenant', 'id'])
      .execute();
  },
};
