/** Runs statements with parameters and caps what comes back. Runs in the SQL process. */

import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import { ToolError } from '../../kernel/define-server.ts';
import { prepareOne, readably, type SqlConnection } from './sql-connection.ts';
import { fromSqlValue, type InputValue, type OutputValue, toSqlValue } from './sql-values.ts';

export type SqlParameters = readonly InputValue[] | Readonly<Record<string, InputValue>>;

export interface SqlStatement {
  readonly sql: string;
  readonly parameters?: SqlParameters;
}

/** Caps on what one statement returns. */
export interface ResultCap {
  readonly maxRows: number;
  /** Bytes of JSON. */
  readonly maxBytes: number;
}

export interface ResultRows {
  readonly columns: string[];
  readonly rows: Record<string, OutputValue>[];
  readonly truncated: boolean;
}

export interface WriteResult extends ResultRows {
  readonly changes: number;
  /** Row id of the last insert on this connection, decimal; only when the statement inserted. */
  readonly lastInsertRowid?: string;
}

type Bound = readonly [] | Parameters<StatementSync['all']>;

function bind(parameters: SqlParameters | undefined, where: string): Bound {
  if (parameters === undefined) return [];
  if (Array.isArray(parameters)) {
    return (parameters as readonly InputValue[]).map((value, index) =>
      toSqlValue(value, `${where}[${index}]`),
    ) as unknown as Bound;
  }
  const named = Object.entries(parameters).map(([name, value]) => [
    name,
    toSqlValue(value, `${where}.${name}`),
  ]);
  return [Object.fromEntries(named)] as unknown as Bound;
}

/** Steps a statement to its end, keeping rows up to the caps; `toEnd` because a write must not stop half way. */
function collect(
  statement: StatementSync,
  bound: Bound,
  cap: ResultCap,
  toEnd: boolean,
  where: string,
): ResultRows {
  const columns = uniqueNames(statement.columns().map(({ name }) => name));
  const rows: Record<string, OutputValue>[] = [];
  let bytes = 0;
  let truncated = false;
  // With setReturnArrays a row is an array, which the types do not know.
  for (const row of statement.iterate(...(bound as [])) as Iterable<unknown>) {
    if (truncated) continue;
    const values = (row as SQLOutputValue[]).map(fromSqlValue);
    const kept = Object.fromEntries(values.map((value, index) => [columns[index]!, value]));
    bytes += Buffer.byteLength(JSON.stringify(kept));
    if (bytes > cap.maxBytes && rows.length === 0) {
      throw new ToolError(
        `${where}: the first row has over ${cap.maxBytes} bytes; select fewer columns or use substr()`,
      );
    }
    truncated = rows.length >= cap.maxRows || bytes > cap.maxBytes;
    if (!truncated) rows.push(kept);
    else if (!toEnd) break;
  }
  return { columns, rows, truncated };
}

/** Column names with `_2`, `_3` … where a join repeats one. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let count = 2; taken.has(unique); count++) unique = `${name}_${count}`;
    taken.add(unique);
    return unique;
  });
}

/** Runs one reading statement. */
export function runQuery(connection: SqlConnection, statement: SqlStatement, cap: ResultCap): ResultRows {
  const prepared = prepareOne(connection, statement.sql, 'sql');
  const bound = bind(statement.parameters, 'parameters');
  return readably(connection, 'sql', () => collect(prepared, bound, cap, false, 'sql'));
}

/** Runs one statement that may write; `prefix` names it in errors. */
export function runWrite(
  connection: SqlConnection,
  statement: SqlStatement,
  cap: ResultCap,
  prefix = '',
): WriteResult {
  const prepared = prepareOne(connection, statement.sql, `${prefix}sql`);
  const { inserts } = connection.guard;
  const bound = bind(statement.parameters, `${prefix}parameters`);
  return readably(connection, `${prefix}sql`, () => {
    const before = counters(connection);
    const rows = collect(prepared, bound, cap, true, `${prefix}sql`);
    const after = counters(connection);
    const changes = Number(after.total - before.total);
    return { ...rows, changes, lastInsertRowid: inserts && changes > 0 ? String(after.rowid) : undefined };
  });
}

function counters(connection: SqlConnection): { total: bigint; rowid: bigint } {
  const statement = connection.database.prepare(
    'SELECT total_changes() AS total, last_insert_rowid() AS rowid',
  );
  statement.setReadBigInts(true);
  return statement.get() as unknown as { total: bigint; rowid: bigint };
}

/** Runs `work` in one transaction: all of it or nothing. */
export function inTransaction<T>(connection: SqlConnection, work: () => T): T {
  const { database, guard } = connection;
  const control = (sql: string) => guard.unguarded(() => database.exec(sql));
  readably(connection, 'database', () => control('BEGIN IMMEDIATE'));
  try {
    const result = work();
    // A trigger's RAISE(ROLLBACK) or INSERT OR ROLLBACK may have ended it.
    if (!database.isTransaction) throw new ToolError('statements: a statement rolled everything back');
    readably(connection, 'database', () => control('COMMIT'));
    return result;
  } catch (error) {
    if (database.isTransaction) control('ROLLBACK');
    throw error;
  }
}
