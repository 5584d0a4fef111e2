/** Phases that are deployed, and what deployments did. */

import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const deploymentTables: Migration = {
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
  },
};
