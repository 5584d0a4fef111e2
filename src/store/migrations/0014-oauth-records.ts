/** What the authorization server keeps: clients, grants, codes, refresh tokens, interactions. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const oauthRecordsTable: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('oauth_records')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('payload', 'text', (column) => column.notNull())
      .addColumn('grant_id', 'text')
      // The second name of a session, which is no secret.
      .addColumn('uid', 'text')
      .addColumn('user_id', 'text')
      .addColumn('client_id', 'text')
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text')
      .addColumn('consumed_at', 'text')
      .addPrimaryKeyConstraint('oauth_records_key', ['tenant', 'model', 'id'])
      .execute();
    await db.schema
      .createIndex('oauth_records_grant')
      .on('oauth_records')
      .columns(['tenant', 'grant_id'])
      .execute();
    await db.schema
      .createIndex('oauth_records_user')
      .on('oauth_records')
      .columns(['tenant', 'user_id', 'client_id'])
      .execute();
  },
};
