/** Table `server_settings`: what an operator changed of servers while a coordinator ran, as JSON by id. */

import type { TenantDb } from './tenant-db.ts';

export interface ServerSettingsRows {
  all(tenant: string): Promise<ReadonlyMap<string, unknown>>;
  /** All or none; a server without settings is deleted. */
  put(tenant: string, settings: ReadonlyMap<string, object | undefined>): Promise<void>;
}

export function createServerSettingsRows(db: TenantDb): ServerSettingsRows {
  return {
    async all(tenant) {
      const rows = await db.read(tenant, (tables) =>
        tables
          .selectFrom('server_settings')
          .select(['server', 'settings'])
          .where('tenant', '=', tenant)
          .execute(),
      );
      return new Map(rows.map(({ server, settings }) => [server, JSON.parse(settings) as unknown]));
    },
    put: (tenant, settings) =>
      db.write(tenant, async (tables) => {
        for (const [server, value] of settings) {
          await tables
            .deleteFrom('server_settings')
            .where('tenant', '=', tenant)
            .where('server', '=', server)
            .execute();
          if (value === undefined) continue;
          const row = { settings: JSON.stringify(value), updated_at: new Date().toISOString() };
          await tables
            .insertInto('server_settings')
            .values({ tenant, server, ...row })
            .execute();
        }
      }),
  };
}
