/** Secrets, each version sealed under a data key of its own, and the master key that wraps those keys (its id only). */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const secretTables: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('secrets')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('wrapped', 'text', (column) => column.notNull())
      .addColumn('sealed', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text')
      .addPrimaryKeyConstraint('secrets_key', ['tenant', 'owner', 'name', 'version'])
      .execute();
    await db.schema
      .createTable('secret_master_keys')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('parameters', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('secret_master_keys_key', ['tenant', 'id'])
      .execute();
  },
};
