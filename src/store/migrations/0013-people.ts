/** People, the one-time links that let them set a password, and their sessions in a browser. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const peopleTables: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('users')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('login', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('password', 'text')
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('disabled_at', 'text')
      .addColumn('last_login_at', 'text')
      .addPrimaryKeyConstraint('users_key', ['tenant', 'id'])
      .addUniqueConstraint('users_login', ['tenant', 'login'])
      .execute();
    await db.schema
      .createTable('user_links')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      // Empty: whoever has the link becomes the first owner.
      .addColumn('user_id', 'text')
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('user_links_key', ['tenant', 'hash'])
      .execute();
    await db.schema
      .createTable('web_sessions')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('seen_at', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('web_sessions_key', ['tenant', 'hash'])
      .execute();
  },
};
