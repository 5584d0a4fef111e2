/** Guarded connections to database files, kept open between calls and shared by path. Runs in the SQL process. */

import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { ToolError } from '../../kernel/define-server.ts';
import { messageOf } from '../../kernel/errors.ts';
import { guardConnection, type SqlGuard } from './sql-guard.ts';

export interface SqlConnection {
  readonly database: DatabaseSync;
  readonly guard: SqlGuard;
}

export interface SqlConnections extends Disposable {
  /** A connection that can only read; an absent file reads as an empty database. */
  reader(path: string): SqlConnection;
  /** A connection that writes; makes the file. It never grows beyond `maxBytes`. */
  writer(path: string, maxBytes: number): SqlConnection;
  /** Closes what is open on a path. */
  close(path: string): void;
}

/** What a file that is not there yet reads as. */
const emptyDatabase = ':memory:';
const maxOpen = 16;
const busyTimeoutMs = 5000;
/** No single text or BLOB is larger: one value must fit in the memory of the process several times. */
const maxValueBytes = 16 * 1024 * 1024;
const heapLimitBytes = 256 * 1024 * 1024;

interface Opened extends SqlConnection {
  /** Device and inode: a handle on a file that was replaced or removed would write into nothing. */
  readonly identity: string;
}

export function createSqlConnections(): SqlConnections {
  const opened = new Map<string, Opened>();

  function drop(key: string): void {
    opened.get(key)?.database.close();
    opened.delete(key);
  }

  function take(path: string, readOnly: boolean): SqlConnection {
    const key = `${readOnly ? 'r' : 'w'}:${path}`;
    const known = opened.get(key);
    // The one used longest ago is the first of the map.
    opened.delete(key);
    if (known && known.identity === identityOf(path)) {
      opened.set(key, known);
      return known;
    }
    known?.database.close();
    const oldest = opened.size >= maxOpen ? opened.keys().next().value : undefined;
    if (oldest !== undefined) drop(oldest);
    const made = openDatabase(path, readOnly);
    opened.set(key, { ...made, identity: identityOf(path) });
    return made;
  }

  return {
    reader: (path) => take(identityOf(path) === '' ? emptyDatabase : path, true),
    writer(path, maxBytes) {
      const connection = take(path, false);
      connection.guard.unguarded(() => limitSize(connection.database, maxBytes));
      return connection;
    },
    close(path) {
      drop(`r:${path}`);
      drop(`w:${path}`);
    },
    [Symbol.dispose]() {
      for (const { database } of opened.values()) database.close();
      opened.clear();
    },
  };
}

function identityOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found ? `${found.dev}:${found.ino}` : '';
}

function openDatabase(path: string, readOnly: boolean): SqlConnection {
  const database = new DatabaseSync(path, {
    readOnly: readOnly && path !== emptyDatabase,
    timeout: busyTimeoutMs,
    allowExtension: false,
    defensive: true,
    limits: { length: maxValueBytes, triggerDepth: 100 },
  });
  try {
    // A view or trigger in a file from elsewhere may not call functions with side effects.
    database.exec(`PRAGMA trusted_schema = OFF; PRAGMA hard_heap_limit = ${heapLimitBytes}`);
    if (!readOnly) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    return { database, guard: guardConnection(database, readOnly) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function limitSize(database: DatabaseSync, maxBytes: number): void {
  const row = database.prepare('PRAGMA page_size').get() as { page_size: number };
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / row.page_size))}`);
}

/** What may follow the one statement: white space, semicolons and comments. */
const nothingMore = /^(\s|;|--[^\n]*(\n|$)|\/\*[^]*?\*\/)*$/;

/** Prepares exactly one statement; a ToolError starts with `where`. */
export function prepareOne(connection: SqlConnection, sql: string, where: string): StatementSync {
  const { database, guard } = connection;
  guard.reset();
  const statement = readably(connection, where, () => database.prepare(sql));
  if (!nothingMore.test(sql.slice(statement.sourceSQL.length))) {
    throw new ToolError(
      `${where}: more than one statement; send one, or use the tool transaction with a list`,
    );
  }
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return statement;
}

/** Runs SQLite work and turns its errors into ToolErrors that start with `where`. */
export function readably<T>(connection: SqlConnection, where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ToolError) throw error;
    throw new ToolError(`${where}: ${connection.guard.refusal ?? explain(error)}`, { cause: error });
  }
}

/** Result codes that need more than SQLite's own words (sqlite.org/rescode.html). */
const explanations: Readonly<Record<number, string>> = {
  5: 'the database is locked by another writer; try again',
  7: 'the statement needs more memory than it may have; narrow it',
  11: 'the database file is damaged; restore a backup',
  13: 'the database has reached its size limit (setting maxDatabaseBytes) or the disk is full',
  18: `a text or BLOB is larger than ${maxValueBytes} bytes`,
  26: 'the file is not a SQLite database',
};

function explain(error: unknown): string {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return explanations[code] ?? messageOf(error);
}
