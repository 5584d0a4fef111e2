/** Moves the state of a data folder into PostgreSQL: all in one transaction, compared before it ends. The file stays as it is. */

import { hash } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { Kysely, type QueryExecutorProvider, sql } from 'kysely';
import { AppError } from '../kernel/errors.ts';
import { migrateToLatest } from './migrate.ts';
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts';
import { postgresPlace } from './postgres/connect-postgres.ts';
import { setUpTables, withSetup } from './postgres/open-postgres.ts';
import { toStoreError } from './tenant-db.ts';

export interface MoveOptions {
  readonly dataDir: string;
  /** Of the database to fill; a secret. */
  readonly url: string;
  /** Looks at both sides and changes nothing. */
  readonly isDryRun: boolean;
  readonly onTable?: (name: string, rows: number) => void;
}

export interface MoveReport {
  readonly from: string;
  readonly to: string;
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
}

type Row = Readonly<Record<string, unknown>>;
/** Whatever tables there are, now or later. */
type Source = Kysely<Record<string, Row>>;

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** The column whose numbers the database gives. */
  readonly counter: string | undefined;
}

const rowsAtOnce = 200;

/**
 * No coordinator may run on the folder. Throws NOT_FOUND without a state there, INVALID_INPUT for a target that is not
 * empty, and STORAGE_FAILED; then the target is as it was, but for empty tables.
 */
export async function moveToPostgres({ dataDir, url, isDryRun, onTable }: MoveOptions): Promise<MoveReport> {
  const file = join(dataDir, 'state.sqlite');
  if (!(await stat(file).catch(() => undefined))?.isFile())
    throw new AppError('NOT_FOUND', { what: 'state of a data folder', id: file });
  await using source = await copyOf(file);
  const to = postgresPlace(url);
  const tables = await tablesOf(source.db);
  const report: { name: string; rows: number }[] = [];
  try {
    await withSetup(url, async (target) => {
      if (!isDryRun) await setUpTables(target);
      await target.transaction().execute(async (transaction) => {
        const there = await tenantTableNames(transaction);
        for (const name of there) await refuseRows(transaction, name, to);
        for (const table of tables) {
          const copied = isDryRun
            ? (await sumOf(rowsOf(source.db, table), table)).rows
            : await copyTable(source.db, transaction, table);
          report.push({ name: table.name, rows: copied });
          onTable?.(table.name, copied);
        }
        for (const name of there)
          await sql`alter table ${sql.table(name)} force row level security`.execute(transaction);
      });
    });
  } catch (error) {
    throw toStoreError({ at: to }, error);
  }
  return { from: file, to, tables: report };
}

/** A copy of the present form, so that an older file can be moved and stays what it is. */
async function copyOf(file: string): Promise<AsyncDisposable & { readonly db: Source }> {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'git-memory-move-'));
  parts.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  try {
    const original = new DatabaseSync(file, { readOnly: true });
    try {
      await backup(original, join(folder, 'state.sqlite'));
    } finally {
      original.close();
    }
    const db = new Kysely<Record<string, Row>>({
      dialect: createNodeSqliteDialect(join(folder, 'state.sqlite')),
    });
    parts.defer(() => db.destroy());
    await migrateToLatest(db);
    const owned = parts.move();
    return { db, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  } catch (error) {
    throw toStoreError({ at: file }, error);
  }
}

async function tablesOf(db: Source): Promise<Table[]> {
  const tables = await db.introspection.getTables();
  return tables
    .map(({ name, columns }) => ({
      name,
      columns: columns.map((column) => column.name),
      counter: columns.find(({ isAutoIncrementing }) => isAutoIncrementing)?.name,
    }))
    .filter(({ columns }) => columns.includes('tenant'));
}

async function tenantTableNames(db: QueryExecutorProvider): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant' and not a.attisdropped
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' order by 1`.execute(db);
  return rows.map(({ name }) => name);
}

/** The owner sees all rows until the transaction ends, and nobody else writes. */
async function refuseRows(db: QueryExecutorProvider, name: string, to: string): Promise<void> {
  await sql`alter table ${sql.table(name)} no force row level security`.execute(db);
  const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db);
  if (rows.length === 0) return;
  const problem = `${to} has rows in ${name} already; choose an empty database`;
  throw new AppError('INVALID_INPUT', { field: 'target', problem });
}

async function* rowsOf(db: Source, { name, columns }: Table): AsyncIterable<Row> {
  yield* db
    .selectFrom(name)
    .select([...columns])
    .stream() as AsyncIterable<Row>;
}

/** Rows that were just copied, a batch at a time. */
async function* copiedRows(db: QueryExecutorProvider, { name, columns }: Table): AsyncIterable<Row> {
  const all = sql.join(columns.map((column) => sql.ref(column)));
  await sql`declare copied no scroll cursor for select ${all} from ${sql.table(name)}`.execute(db);
  for (;;) {
    const { rows } = await sql<Row>`fetch ${sql.lit(rowsAtOnce)} from copied`.execute(db);
    yield* rows;
    if (rows.length < rowsAtOnce) break;
  }
  await sql`close copied`.execute(db);
}

interface Sum {
  readonly rows: number;
  readonly digest: bigint;
}

/** A value as PostgreSQL can have it. */
function comparable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\u{FFFD}');
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

function digestOf(row: Row, { columns }: Table): bigint {
  return BigInt(`0x${hash('sha256', JSON.stringify(columns.map((column) => comparable(row[column]))))}`);
}

/** The same for the same rows in any order. */
async function sumOf(rows: AsyncIterable<Row>, table: Table): Promise<Sum> {
  let count = 0;
  let digest = 0n;
  for await (const row of rows) {
    count += 1;
    digest += digestOf(row, table);
  }
  return { rows: count, digest };
}

async function copyTable(source: Source, target: QueryExecutorProvider, table: Table): Promise<number> {
  const { name, counter } = table;
  const columns = sql.join(table.columns.map((column) => sql.ref(column)));
  let batch: Row[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const values = batch.map((row) => sql`(${sql.join(table.columns.map((column) => row[column]))})`);
    await sql`insert into ${sql.table(name)} (${columns}) values ${sql.join(values)}`.execute(target);
    batch = [];
  };
  let digest = 0n;
  let rows = 0;
  for await (const row of rowsOf(source, table)) {
    digest += digestOf(row, table);
    rows += 1;
    batch.push(row);
    if (batch.length === rowsAtOnce) await flush();
  }
  await flush();
  const copied = await sumOf(copiedRows(target, table), table);
  if (copied.rows !== rows || copied.digest !== digest)
    throw new Error(`${name} did not arrive as it was: ${copied.rows} of ${rows} rows; nothing was kept`);
  // What comes next is numbered after what came along.
  if (counter !== undefined && rows > 0)
    await sql`select setval(pg_get_serial_sequence(${name}, ${counter}), max(${sql.ref(counter)}))
      from ${sql.table(name)}`.execute(target);
  return rows;
}
