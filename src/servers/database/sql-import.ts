/** Puts JSON rows into a table. Runs in the SQL process. */

import { ToolError } from '../../kernel/define-server.ts';
import { prepareOne, readably, type SqlConnection } from './sql-connection.ts';
import { describeTable, quoted } from './sql-schema.ts';
import { inTransaction } from './sql-statements.ts';
import { type InputValue, toSqlValue } from './sql-values.ts';

export type ImportRow = Readonly<Record<string, InputValue>>;

export interface ImportWish {
  readonly table: string;
  readonly rows: readonly ImportRow[];
  readonly createTable: boolean;
  readonly onConflict: 'fail' | 'ignore' | 'replace';
}

export interface ImportResult {
  readonly inserted: number;
  readonly skipped: number;
  readonly created: boolean;
  readonly columns: string[];
}

const verbs = { fail: 'INSERT', ignore: 'INSERT OR IGNORE', replace: 'INSERT OR REPLACE' } as const;

/** Inserts all rows or none; a field that a row lacks becomes NULL. */
export function importRows(connection: SqlConnection, wish: ImportWish): ImportResult {
  const columns = [...new Set(wish.rows.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0)
    throw new ToolError('rows: the rows have no fields; send objects with column names');
  return inTransaction(connection, () => {
    const created = wish.createTable && createIfMissing(connection, wish, columns);
    checkColumns(connection, wish.table, columns);
    const marks = columns.map(() => '?').join(', ');
    const sql = `${verbs[wish.onConflict]} INTO ${quoted(wish.table)} (${columns.map(quoted).join(', ')}) VALUES (${marks})`;
    const statement = prepareOne(connection, sql, 'table');
    let inserted = 0;
    for (const [index, row] of wish.rows.entries()) {
      const values = columns.map((column) => toSqlValue(row[column] ?? null, `rows[${index}].${column}`));
      const { changes } = readably(connection, `rows[${index}]`, () => statement.run(...values));
      inserted += Number(changes) > 0 ? 1 : 0;
    }
    return { inserted, skipped: wish.rows.length - inserted, created, columns };
  });
}

function createIfMissing(connection: SqlConnection, wish: ImportWish, columns: readonly string[]): boolean {
  const known = readably(connection, 'table', () =>
    connection.database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE').get(wish.table),
  );
  if (known) return false;
  const declared = columns.map(
    (column) => `${quoted(column)} ${typeOf(wish.rows.map((row) => row[column] ?? null))}`,
  );
  readably(connection, 'table', () =>
    connection.database.exec(`CREATE TABLE ${quoted(wish.table)} (${declared.join(', ')})`),
  );
  return true;
}

/** The type that holds all values of a column without loss; mixed values stay as they are (no affinity). */
function typeOf(values: readonly InputValue[]): string {
  const kinds = new Set(values.filter((value) => value !== null).map(kindOf));
  if (kinds.size === 1) return [...kinds][0]!;
  return kinds.size === 2 && kinds.has('INTEGER') && kinds.has('REAL') ? 'REAL' : '';
}

function kindOf(value: Exclude<InputValue, null>): string {
  if (typeof value === 'string') return 'TEXT';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'INTEGER' : 'REAL';
  return typeof value === 'object' && 'base64' in value ? 'BLOB' : 'INTEGER';
}

function checkColumns(connection: SqlConnection, table: string, columns: readonly string[]): void {
  const known = describeTable(connection, table).columns.map(({ name }) => name);
  const lower = new Set(known.map((name) => name.toLowerCase()));
  const unknown = columns.filter((name) => !lower.has(name.toLowerCase()));
  if (unknown.length === 0) return;
  throw new ToolError(`rows: ${table} has no column ${unknown.join(', ')}; it has ${known.join(', ')}`);
}
