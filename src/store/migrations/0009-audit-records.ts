/** The audit log: one chain of records a tenant, its end, and the signed checkpoints. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const auditRecordsTables: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('audit_records')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('seq', 'integer', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      .addColumn('principal', 'text')
      .addColumn('server', 'text')
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('outcome', 'text', (column) => column.notNull())
      .addColumn('record', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('audit_records_key', ['tenant', 'seq'])
      .execute();
    await db.schema.createIndex('audit_records_at').on('audit_records').columns(['tenant', 'at']).execute();
    await db.schema
      .createTable('audit_heads')
      .addColumn('tenant', 'text', (column) => column.primaryKey())
      .addColumn('seq', 'integer', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('audit_checkpoints')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('seq', 'integer', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('signature', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('audit_checkpoints_key', ['tenant', 'seq'])
      .execute();
  },
};
