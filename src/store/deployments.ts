/** Tables `deployed_phases` and `deployment_reports`; of the reports the newest are kept. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** Records and reports are stored as JSON, as they are given. */
export interface DeploymentRows {
  /** The records in the order of their phases. */
  phases(): Promise<unknown[]>;
  put(phase: number, record: unknown): Promise<void>;
  remove(phase: number): Promise<void>;
  addReport(report: unknown): Promise<void>;
  /** The newest first. */
  reports(limit: number): Promise<unknown[]>;
}

const maxReports = 1000;

export function createDeploymentRows(db: Kysely<Tables>): DeploymentRows {
  return {
    async phases() {
      const rows = await db.selectFrom('deployed_phases').select('record').orderBy('phase').execute();
      return rows.map(({ record }) => JSON.parse(record) as unknown);
    },
    async put(phase, value) {
      const row = { record: JSON.stringify(value) };
      await db
        .insertInto('deployed_phases')
        .values({ phase, ...row })
        .onConflict((conflict) => conflict.column('phase').doUpdateSet(row))
        .execute();
    },
    async remove(phase) {
      await db.deleteFrom('deployed_phases').where('phase', '=', phase).execute();
    },
    async addReport(report) {
      const { seq } = await db
        .insertInto('deployment_reports')
        .values({ report: JSON.stringify(report) })
        .returning('seq')
        .executeTakeFirstOrThrow();
      await db
        .deleteFrom('deployment_reports')
        .where('seq', '<=', seq - maxReports)
        .execute();
    },
    async reports(limit) {
      const rows = await db
        .selectFrom('deployment_reports')
        .select('report')
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute();
      return rows.map(({ report }) => JSON.parse(report) as unknown);
    },
  };
}
