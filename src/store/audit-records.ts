/** Tables `audit_records` and `audit_heads`: chains of records, one a tenant. What is in the chain is not looked at here. */

import { type CompiledQuery, type Kysely, sql, type Transaction } from 'kysely';
import type { AuditTables } from './tables.ts';

/** A record as it is kept; the columns beside `record` are what is looked for by. */
export interface StoredAuditRecord {
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  readonly principal: string | null;
  readonly server: string | null;
  readonly target: string;
  readonly outcome: string;
  /** The text that is hashed. */
  readonly record: string;
  readonly hash: string;
}

/** The end of a chain. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** What to look for: equal values, and a half-open span of time. */
export interface AuditFilter {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly principal?: string | undefined;
  readonly server?: string | undefined;
  readonly target?: string | undefined;
  readonly outcome?: string | undefined;
}

export interface AuditPage {
  readonly order: 'newest' | 'oldest';
  /** A seq. */
  readonly cursor?: number | undefined;
  readonly limit: number;
}

export interface AuditRecords {
  /**
   * Adds what `make` makes of the end of the chain, and removes all up to `cutSeq`, in one transaction. Several
   * processes may do so: the end is locked before it is read.
   */
  append(
    tenant: string,
    make: (head: AuditHead) => readonly StoredAuditRecord[],
    cutSeq?: number,
  ): Promise<AuditHead>;
  head(tenant: string): Promise<AuditHead | undefined>;
  tenants(): Promise<string[]>;
  /** In the order of the chain, from after `seq` on. */
  after(tenant: string, seq: number, limit: number): Promise<StoredAuditRecord[]>;
  /** Those that fit, from behind `cursor` on. */
  find(tenant: string, filter: AuditFilter, page: AuditPage): Promise<StoredAuditRecord[]>;
  /** The first that is not older than a time, ISO 8601. */
  firstSince(tenant: string, at: string): Promise<number | undefined>;
  first(tenant: string): Promise<number | undefined>;
}

/** The hash before the first record. */
export const zeroHash = '0'.repeat(64);
/** A statement takes a bounded number of parameters. */
const rowsAtOnce = 100;

const columns = ['seq', 'at', 'principal', 'server', 'target', 'outcome', 'record', 'hash'] as const;

/** Inserts of so many rows: to make the statement costs more than to run it, and sizes are few. */
function createInserts(db: Kysely<AuditTables>) {
  const known = new Map<number, CompiledQuery>();
  const compile = (count: number): CompiledQuery => {
    const row = {
      tenant: '',
      seq: 0,
      at: '',
      principal: '',
      server: '',
      target: '',
      outcome: '',
      record: '',
      hash: '',
    };
    return db
      .insertInto('audit_records')
      .values(Array.from({ length: count }, () => row))
      .compile();
  };
  return (tenant: string, rows: readonly StoredAuditRecord[]): CompiledQuery => {
    const compiled = known.get(rows.length) ?? compile(rows.length);
    known.set(rows.length, compiled);
    return { ...compiled, parameters: rows.flatMap((row) => [tenant, ...columns.map((name) => row[name])]) };
  };
}

/** Writing comes first: it takes the lock, in SQLite that of the file, in PostgreSQL that of the row. */
async function lockHead(db: Transaction<AuditTables>, tenant: string): Promise<AuditHead> {
  await db
    .insertInto('audit_heads')
    .values({ tenant, seq: 0, hash: zeroHash })
    .onConflict((conflict) => conflict.column('tenant').doNothing())
    .execute();
  return await db
    .updateTable('audit_heads')
    .set({ seq: sql<number>`seq` })
    .where('tenant', '=', tenant)
    .returning(['seq', 'hash'])
    .executeTakeFirstOrThrow();
}

export function createAuditRecords(db: Kysely<AuditTables>): AuditRecords {
  const insertOf = createInserts(db);
  const ofTenant = (tenant: string) => db.selectFrom('audit_records').where('tenant', '=', tenant);
  return {
    append: (tenant, make, cutSeq) =>
      db.transaction().execute(async (transaction) => {
        const head = await lockHead(transaction, tenant);
        const rows = make(head);
        for (let from = 0; from < rows.length; from += rowsAtOnce)
          await transaction.executeQuery(insertOf(tenant, rows.slice(from, from + rowsAtOnce)));
        const { seq, hash } = rows.at(-1) ?? head;
        await transaction
          .updateTable('audit_heads')
          .set({ seq, hash })
          .where('tenant', '=', tenant)
          .execute();
        if (cutSeq !== undefined)
          await transaction
            .deleteFrom('audit_records')
            .where('tenant', '=', tenant)
            .where('seq', '<=', cutSeq)
            .execute();
        return { seq, hash };
      }),
    head: (tenant) =>
      db.selectFrom('audit_heads').select(['seq', 'hash']).where('tenant', '=', tenant).executeTakeFirst(),
    async tenants() {
      const rows = await db.selectFrom('audit_heads').select('tenant').orderBy('tenant').execute();
      return rows.map(({ tenant }) => tenant);
    },
    after: (tenant, seq, limit) =>
      ofTenant(tenant).select(columns).where('seq', '>', seq).orderBy('seq').limit(limit).execute(),
    async find(tenant, { since, until, ...equal }, { order, cursor, limit }) {
      const isNewest = order === 'newest';
      let query = ofTenant(tenant).select(columns);
      if (cursor !== undefined) query = query.where('seq', isNewest ? '<' : '>', cursor);
      if (since !== undefined) query = query.where('at', '>=', since);
      if (until !== undefined) query = query.where('at', '<', until);
      for (const name of ['principal', 'server', 'target', 'outcome'] as const)
        if (equal[name] !== undefined) query = query.where(name, '=', equal[name]);
      return await query
        .orderBy('seq', isNewest ? 'desc' : 'asc')
        .limit(limit)
        .execute();
    },
    async firstSince(tenant, at) {
      const row = await ofTenant(tenant)
        .select(({ fn }) => fn.min('seq').as('seq'))
        .where('at', '>=', at)
        .executeTakeFirst();
      return row?.seq ?? undefined;
    },
    async first(tenant) {
      const row = await ofTenant(tenant)
        .select(({ fn }) => fn.min('seq').as('seq'))
        .executeTakeFirst();
      return row?.seq ?? undefined;
    },
  };
}
