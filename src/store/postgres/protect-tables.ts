/**
 * Row-level security on every table that has a tenant, and the role that queries run as. Done at each start for what is
 * not protected yet: a new table needs nothing but its column `tenant`.
 */

import { type Kysely, type QueryExecutorProvider, sql } from 'kysely';
import type { Tables } from '../tables.ts';
import { readAcrossTables } from '../tenant-db.ts';
import { appRole } from './connect-postgres.ts';

/** Makes the role and lets the present user become it. Throws what the database throws where that is not allowed. */
export async function prepareRole(db: QueryExecutorProvider): Promise<void> {
  const { rows } = await sql<{ strong: boolean }>`
    select rolsuper or rolbypassrls as strong from pg_roles where rolname = ${appRole}`.execute(db);
  if (rows[0]?.strong)
    throw new Error(`the role ${appRole} is a superuser or bypasses row-level security; it must do neither`);
  if (rows.length === 0) await createRole(db);
  if (await mayBecome(db)) return;
  await sql`grant ${sql.ref(appRole)} to current_user`.execute(db).catch((error: unknown) => {
    throw new Error(`an administrator has to run: GRANT ${appRole} TO <this user>`, { cause: error });
  });
}

/** Another database of the same server may make it at the same moment. */
async function createRole(db: QueryExecutorProvider): Promise<void> {
  await sql`create role ${sql.ref(appRole)} nologin`.execute(db).catch((error: unknown) => {
    const { code } = error as { code?: string };
    if (code === '42710' || code === '23505') return;
    const problem = `an administrator has to run: CREATE ROLE ${appRole} NOLOGIN; GRANT ${appRole} TO <this user>`;
    throw new Error(problem, { cause: error });
  });
}

async function mayBecome(db: QueryExecutorProvider): Promise<boolean> {
  try {
    await sql`set role ${sql.ref(appRole)}`.execute(db);
  } catch {
    return false;
  }
  await sql`reset role`.execute(db);
  return true;
}

export interface TenantTable {
  readonly name: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly policies: readonly string[];
  readonly granted: boolean;
}

/** Our tables: those of the schema with a column `tenant`. */
export async function tenantTables(db: QueryExecutorProvider): Promise<TenantTable[]> {
  const { rows } = await sql<TenantTable>`
    select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
      array(select p.polname::text from pg_policy p where p.polrelid = c.oid order by 1) as policies,
      has_table_privilege(${appRole}, c.oid, 'select') and has_table_privilege(${appRole}, c.oid, 'insert')
        and has_table_privilege(${appRole}, c.oid, 'update') and has_table_privilege(${appRole}, c.oid, 'delete')
        as granted
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant' and not a.attisdropped
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    order by c.relname`.execute(db);
  return rows;
}

/** One policy a table, and one more, for looks alone, where some rows are found before the tenant is known. */
function wantedPolicies(table: string): string[] {
  const isAcross = (readAcrossTables as readonly string[]).includes(table);
  return isAcross ? ['of_tenant', 'read_across'] : ['of_tenant'];
}

/** Protects what is not: the lock that this takes on a table is not asked for otherwise. */
export async function protectTables(db: Kysely<Tables>): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ schema: string; granted: boolean }>`
      select current_schema() as schema,
        has_schema_privilege(${appRole}, current_schema(), 'usage') as granted`.execute(transaction);
    const [schema] = rows;
    if (schema && !schema.granted)
      await sql`grant usage on schema ${sql.ref(schema.schema)} to ${sql.ref(appRole)}`.execute(transaction);
    for (const table of await tenantTables(transaction)) await protect(transaction, table);
  });
}

async function protect(db: QueryExecutorProvider, { name, enabled, forced, policies, granted }: TenantTable) {
  const table = sql.table(name);
  if (!enabled) await sql`alter table ${table} enable row level security`.execute(db);
  // The owner, too, sees nothing without a tenant.
  if (!forced) await sql`alter table ${table} force row level security`.execute(db);
  const missing = wantedPolicies(name).filter((policy) => !policies.includes(policy));
  for (const policy of missing) {
    if (policy === 'of_tenant')
      // A setting that was made for a transaction is empty after it, and so is that of no tenant.
      await sql`create policy of_tenant on ${table}
        using (tenant = nullif(current_setting('app.tenant', true), ''))
        with check (tenant = nullif(current_setting('app.tenant', true), ''))`.execute(db);
    else
      await sql`create policy read_across on ${table} for select
        using (${sql.lit(name)} = any (string_to_array(current_setting('app.read_across', true), ',')))`.execute(
        db,
      );
  }
  if (!granted)
    await sql`grant select, insert, update, delete on ${table} to ${sql.ref(appRole)}`.execute(db);
}
