/** What tables a database has and how they look. Runs in the SQL process. */

import { ToolError } from '../../kernel/define-server.ts';
import { readably, type SqlConnection } from './sql-connection.ts';

/** Counting goes no further than this, so that a huge table answers at once. */
const countLimit = 1_000_000;

export interface TableSummary {
  readonly name: string;
  readonly type: string;
  readonly columns: number;
}

export interface TableDescription {
  readonly name: string;
  readonly type: string;
  readonly sql: string | null;
  readonly strict: boolean;
  readonly withoutRowid: boolean;
  readonly columns: {
    readonly name: string;
    readonly type: string;
    readonly notNull: boolean;
    readonly defaultValue: string | null;
    readonly primaryKeyPosition: number;
    readonly generated: boolean;
  }[];
  readonly indexes: {
    readonly name: string;
    readonly unique: boolean;
    readonly columns: string[];
  }[];
  readonly foreignKeys: {
    readonly columns: string[];
    readonly table: string;
    readonly references: string[];
    readonly onUpdate: string;
    readonly onDelete: string;
  }[];
  readonly triggers: string[];
  readonly rowCount: number;
  readonly rowCountExact: boolean;
}

type Row = Record<string, string | number | null>;

function select(connection: SqlConnection, sql: string, ...parameters: (string | number)[]): Row[] {
  return readably(connection, 'database', () => connection.database.prepare(sql).all(...parameters)) as Row[];
}

const text = (value: string | number | null | undefined) => String(value ?? '');

/** A name as SQL: quoted, with quotes doubled. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Tables, views and virtual tables by name; SQLite's own and shadow tables are left out. */
export function listTables(
  connection: SqlConnection,
  limit: number,
): { tables: TableSummary[]; truncated: boolean } {
  const rows = select(
    connection,
    `SELECT name, type, ncol FROM pragma_table_list
     WHERE schema = 'main' AND type <> 'shadow' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT ?`,
    limit + 1,
  );
  const tables = rows
    .slice(0, limit)
    .map((row) => ({ name: text(row['name']), type: text(row['type']), columns: Number(row['ncol']) }));
  return { tables, truncated: rows.length > limit };
}

/** Everything about one table or view; throws a ToolError that lists what there is instead. */
export function describeTable(connection: SqlConnection, table: string): TableDescription {
  const [found] = select(
    connection,
    "SELECT name, type, strict, wr FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
    table,
  );
  if (!found) {
    const names = listTables(connection, 30).tables.map(({ name }) => name);
    throw new ToolError(`table: no table ${JSON.stringify(table)}; there are ${names.join(', ') || 'none'}`);
  }
  const name = text(found['name']);
  const [schema] = select(
    connection,
    "SELECT sql FROM sqlite_schema WHERE name = ? AND type IN ('table','view')",
    name,
  );
  return {
    name,
    type: text(found['type']),
    sql: schema?.['sql'] === null || schema === undefined ? null : text(schema['sql']),
    strict: found['strict'] === 1,
    withoutRowid: found['wr'] === 1,
    columns: columnsOf(connection, name),
    indexes: indexesOf(connection, name),
    foreignKeys: foreignKeysOf(connection, name),
    triggers: select(
      connection,
      "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?",
      name,
    ).map((row) => text(row['name'])),
    ...countRows(connection, name),
  };
}

function columnsOf(connection: SqlConnection, table: string): TableDescription['columns'] {
  // `hidden` is 1 for the inner columns of virtual tables, 2 and 3 for generated ones.
  return select(connection, 'SELECT * FROM pragma_table_xinfo(?) WHERE hidden <> 1', table).map((row) => ({
    name: text(row['name']),
    type: text(row['type']),
    notNull: row['notnull'] === 1,
    defaultValue: row['dflt_value'] === null ? null : text(row['dflt_value']),
    primaryKeyPosition: Number(row['pk']),
    generated: Number(row['hidden']) > 1,
  }));
}

function indexesOf(connection: SqlConnection, table: string): TableDescription['indexes'] {
  return select(connection, 'SELECT * FROM pragma_index_list(?) ORDER BY name', table).map((index) => ({
    name: text(index['name']),
    unique: index['unique'] === 1,
    columns: select(
      connection,
      'SELECT name FROM pragma_index_info(?) ORDER BY seqno',
      text(index['name']),
    ).map((column) => (column['name'] === null ? '(expression)' : text(column['name']))),
  }));
}

function foreignKeysOf(connection: SqlConnection, table: string): TableDescription['foreignKeys'] {
  const rows = select(connection, 'SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq', table);
  const byId = Object.values(Object.groupBy(rows, (row) => text(row['id'])));
  return byId.flatMap((key) => {
    const [first] = key ?? [];
    if (!key || !first) return [];
    return {
      columns: key.map((row) => text(row['from'])),
      table: text(first['table']),
      // Null when the key refers to the other table's primary key without naming it.
      references: key.flatMap((row) => (row['to'] === null ? [] : [text(row['to'])])),
      onUpdate: text(first['on_update']),
      onDelete: text(first['on_delete']),
    };
  });
}

function countRows(connection: SqlConnection, table: string): { rowCount: number; rowCountExact: boolean } {
  const [row] = select(
    connection,
    `SELECT count(*) AS n FROM (SELECT 1 FROM ${quoted(table)} LIMIT ?)`,
    countLimit + 1,
  );
  const counted = Number(row?.['n']);
  return { rowCount: Math.min(counted, countLimit), rowCountExact: counted <= countLimit };
}
