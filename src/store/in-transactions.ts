/** Repositories that know nothing of transactions: each call of one of their functions is one. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';
import type { TenantDb } from './tenant-db.ts';

/** For a database without row-level security, where one transaction may see the rows of all tenants. */
export function inTransactions<Repository extends object>(
  db: TenantDb,
  create: (tables: Kysely<Tables>) => Repository,
): Repository {
  const call =
    (name: keyof Repository) =>
    (...given: unknown[]) =>
      db.write('', async (tables) => {
        const work = create(tables)[name] as (...all: unknown[]) => Promise<unknown>;
        return await work(...given);
      });
  return new Proxy({} as Repository, { get: (_, name) => call(name as keyof Repository) });
}
