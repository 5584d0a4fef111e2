/** Tables `deployed_phases` and `deployment_reports`; of the reports the newest are kept. */

import type { TenantDb } from './tenant-db.ts';
import { trimLog } from './trim-log.ts';

/** Records and reports are stored as JSON, as they are given. */
export interface DeploymentRows {
  /** The records in the order of their phases. */
  phases(tenant: string): Promise<unknown[]>;
  put(tenant: string, phase: number, record: unknown): Promise<void>;
  remove(tenant: string, phase: number): Promise<void>;
  addReport(tenant: string, report: unknown): Promise<void>;
  /** The newest first. */
  reports(tenant: string, limit: number): Promise<unknown[]>;
}

const maxReports = 1000;

export function createDeploymentRows(db: TenantDb): DeploymentRows {
  return {
    async phases(tenant) {
      const rows = await db.read(tenant, (tables) =>
        tables
          .selectFrom('deployed_phases')
          .select('record')
          .where('tenant', '=', tenant)
          .orderBy('phase')
          .execute(),
      );
      return rows.map(({ record }) => JSON.parse(record) as unknown);
    },
    async put(tenant, phase, value) {
      const row = { record: JSON.stringify(value) };
      await db.write(tenant, (tables) =>
        tables
          .insertInto('deployed_phases')
          .values({ tenant, phase, ...row })
          .onConflict((conflict) => conflict.columns(['tenant', 'phase']).doUpdateSet(row))
          .execute(),
      );
    },
    async remove(tenant, phase) {
      await db.write(tenant, (tables) =>
        tables
          .deleteFrom('deployed_phases')
          .where('tenant', '=', tenant)
          .where('phase', '=', phase)
          .execute(),
      );
    },
    addReport: (tenant, report) =>
      db.write(tenant, async (tables) => {
        await tables
          .insertInto('deployment_reports')
          .values({ tenant, report: JSON.stringify(report) })
          .execute();
        await trimLog(tables, 'deployment_reports', tenant, maxReports);
      }),
    async reports(tenant, limit) {
      const rows = await db.read(tenant, (tables) =>
        tables
          .selectFrom('deployment_reports')
          .select('report')
          .where('tenant', '=', tenant)
          .orderBy('seq', 'desc')
          .limit(limit)
          .execute(),
      );
      return rows.map(({ report }) => JSON.parse(report) as unknown);
    },
  };
}
