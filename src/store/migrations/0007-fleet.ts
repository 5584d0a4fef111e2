/** Phases that are deployed and what deployments did; settings of servers that operators changed; quarantine. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const fleetTables: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('deployed_phases')
      .addColumn('phase', 'integer', (column) => column.primaryKey())
      .addColumn('record', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('deployment_reports')
      .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('report', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('server_settings')
      .addColumn('server', 'text', (column) => column.primaryKey())
      .addColumn('settings', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('quarantined_servers')
      .addColumn('server', 'text', (column) => column.primaryKey())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      .execute();
  },
};
