/** The requests that the server sends to a SQL process, and what each does there. */

import { rmSync, statSync } from 'node:fs';
import { ToolError } from '../../kernel/define-server.ts';
import { readably, type SqlConnections } from './sql-connection.ts';
import { type ImportResult, importRows, type ImportWish } from './sql-import.ts';
import { describeTable, listTables, type TableDescription, type TableSummary } from './sql-schema.ts';
import {
  inTransaction,
  type ResultCap,
  type ResultRows,
  runQuery,
  runWrite,
  type SqlStatement,
  type WriteResult,
} from './sql-statements.ts';

/** The database file, and how large it may become. */
interface Target {
  readonly path: string;
  readonly maxDatabaseBytes: number;
}

/** Each operation with its input and output. */
export interface SqlOperations {
  query: { input: Target & { statement: SqlStatement; cap: ResultCap }; output: ResultRows };
  execute: { input: Target & { statement: SqlStatement; cap: ResultCap }; output: WriteResult };
  transaction: {
    input: Target & { statements: readonly SqlStatement[]; cap: ResultCap };
    output: WriteResult[];
  };
  listTables: { input: Target & { limit: number }; output: { tables: TableSummary[]; truncated: boolean } };
  describeTable: { input: Target & { table: string }; output: TableDescription };
  importRows: { input: Target & { wish: ImportWish }; output: ImportResult };
  backup: { input: Target & { to: string }; output: { bytes: number } };
  drop: { input: Target; output: { dropped: true } };
}

export type SqlOperation = keyof SqlOperations;

/** One request as it travels to the process. */
export interface SqlRequest<Op extends SqlOperation = SqlOperation> {
  readonly operation: Op;
  readonly input: SqlOperations[Op]['input'];
}

/** What a process answers: a value, words for the model, or a failure for the log. */
export type SqlAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'tool-error'; readonly message: string }
  | { readonly kind: 'failure'; readonly message: string };

type Handlers = {
  [Op in SqlOperation]: (
    input: SqlOperations[Op]['input'],
    connections: SqlConnections,
  ) => SqlOperations[Op]['output'];
};

const handlers: Handlers = {
  query: ({ path, statement, cap }, connections) => runQuery(connections.reader(path), statement, cap),
  execute: ({ path, maxDatabaseBytes, statement, cap }, connections) =>
    runWrite(connections.writer(path, maxDatabaseBytes), statement, cap),
  transaction({ path, maxDatabaseBytes, statements, cap }, connections) {
    const connection = connections.writer(path, maxDatabaseBytes);
    let bytesLeft = cap.maxBytes;
    return inTransaction(connection, () =>
      statements.map((statement, index) => {
        const result = runWrite(
          connection,
          statement,
          { ...cap, maxBytes: bytesLeft },
          `statements[${index}].`,
        );
        bytesLeft = Math.max(0, bytesLeft - Buffer.byteLength(JSON.stringify(result.rows)));
        return result;
      }),
    );
  },
  listTables: ({ path, limit }, connections) => listTables(connections.reader(path), limit),
  describeTable: ({ path, table }, connections) => describeTable(connections.reader(path), table),
  importRows: ({ path, maxDatabaseBytes, wish }, connections) =>
    importRows(connections.writer(path, maxDatabaseBytes), wish),
  backup({ path, to, maxDatabaseBytes }, connections) {
    const connection = connections.writer(path, maxDatabaseBytes);
    readably(connection, 'database', () =>
      connection.guard.unguarded(() => connection.database.prepare('VACUUM INTO ?').run(to)),
    );
    return { bytes: statSync(to).size };
  },
  drop({ path }, connections) {
    connections.close(path);
    try {
      for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
    } catch (error) {
      throw new ToolError('database: it is in use; try again in a minute', { cause: error });
    }
    return { dropped: true };
  },
};

/** Runs one request on the connections of this process. */
export function runSqlRequest<Op extends SqlOperation>(
  request: SqlRequest<Op>,
  connections: SqlConnections,
): SqlOperations[Op]['output'] {
  const handler: Handlers[Op] = handlers[request.operation];
  return handler(request.input, connections);
}
