/** Table `server_changes`: which server came, changed or went, when and why. The newest are kept. */

import type { TenantDb } from './tenant-db.ts';
import { trimLog } from './trim-log.ts';

export interface ServerChangeRow {
  /** ISO 8601. */
  readonly at: string;
  readonly action: string;
  readonly server: string;
  readonly source: string;
  readonly origin: string | null;
  readonly problem: string | null;
}

export interface ServerChanges {
  add(tenant: string, rows: readonly ServerChangeRow[]): Promise<void>;
  /** The newest first. */
  newest(tenant: string, limit: number): Promise<ServerChangeRow[]>;
}

const maxRows = 10_000;
/** A statement takes a bounded number of parameters. */
const rowsAtOnce = 500;

export function createServerChanges(db: TenantDb): ServerChanges {
  return {
    async add(tenant, rows) {
      for (let from = 0; from < rows.length; from += rowsAtOnce) {
        const some = rows.slice(from, from + rowsAtOnce).map((row) => ({ tenant, ...row }));
        await db.write(tenant, async (tables) => {
          await tables.insertInto('server_changes').values(some).execute();
          await trimLog(tables, 'server_changes', tenant, maxRows);
        });
      }
    },
    newest: (tenant, limit) =>
      db.read(tenant, (tables) =>
        tables
          .selectFrom('server_changes')
          .select(['at', 'action', 'server', 'source', 'origin', 'problem'])
          .where('tenant', '=', tenant)
          .orderBy('seq', 'desc')
          .limit(limit)
          .execute(),
      ),
  };
}
