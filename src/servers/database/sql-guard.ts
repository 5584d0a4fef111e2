/** Decides, action by action, what a statement may do (SQLite's authorizer, sqlite.org/c3ref/set_authorizer.html). */

import { constants, type DatabaseSync } from 'node:sqlite';

/** Pragmas that only tell something, with or without an argument. */
const readPragmas = new Set([
  'application_id',
  'collation_list',
  'compile_options',
  'data_version',
  'encoding',
  'foreign_key_check',
  'foreign_key_list',
  'freelist_count',
  'function_list',
  'index_info',
  'index_list',
  'index_xinfo',
  'integrity_check',
  'module_list',
  'page_count',
  'page_size',
  'pragma_list',
  'quick_check',
  'table_info',
  'table_list',
  'table_xinfo',
  'user_version',
]);

/** Pragmas that a writing tool may run besides. */
const writePragmas = new Set(['optimize']);

const readActions: ReadonlySet<number> = new Set([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
  constants.SQLITE_PRAGMA,
]);

const virtualTables = new Set(['fts5', 'fts4', 'fts3', 'rtree', 'rtree_i32', 'geopoly']);

/** Functions that reach out of the database. */
const refusedFunctions = new Set(['load_extension', 'fts3_tokenizer', 'readfile', 'writefile', 'edit']);

const tempActions: ReadonlySet<number> = new Set([
  constants.SQLITE_CREATE_TEMP_INDEX,
  constants.SQLITE_CREATE_TEMP_TABLE,
  constants.SQLITE_CREATE_TEMP_TRIGGER,
  constants.SQLITE_CREATE_TEMP_VIEW,
]);

export interface SqlGuard {
  /** Forgets what it saw of the statement before. */
  reset(): void;
  /** Why the first refused action since then was refused. */
  readonly refusal: string | undefined;
  /** True when the statement itself, not a trigger, inserts into a table. */
  readonly inserts: boolean;
  /** Runs our own statements (BEGIN, VACUUM INTO) without asking. */
  unguarded<T>(work: () => T): T;
}

/** Puts a guard on a connection: `readOnly` permits nothing that writes. */
export function guardConnection(database: DatabaseSync, readOnly: boolean): SqlGuard {
  let refusal: string | undefined;
  let inserts = false;
  let open = false;
  database.setAuthorizer((action, first, second, _schema, trigger) => {
    if (open) return constants.SQLITE_OK;
    inserts ||=
      action === constants.SQLITE_INSERT && trigger === null && !String(first).startsWith('sqlite_');
    const reason = refusalOf(action, first, second, readOnly);
    if (reason === undefined) return constants.SQLITE_OK;
    refusal ??= reason;
    return constants.SQLITE_DENY;
  });
  return {
    reset() {
      refusal = undefined;
      inserts = false;
    },
    get refusal() {
      return refusal;
    },
    get inserts() {
      return inserts;
    },
    unguarded(work) {
      open = true;
      try {
        return work();
      } finally {
        open = false;
      }
    },
  };
}

function refusalOf(
  action: number,
  first: string | null,
  second: string | null,
  readOnly: boolean,
): string | undefined {
  if (action === constants.SQLITE_ATTACH || action === constants.SQLITE_DETACH) {
    return 'ATTACH, DETACH and VACUUM are refused; each call works on one database (backup_database copies it)';
  }
  if (action === constants.SQLITE_TRANSACTION || action === constants.SQLITE_SAVEPOINT) {
    return 'BEGIN, COMMIT, ROLLBACK and SAVEPOINT are refused; use the tool transaction';
  }
  if (action === constants.SQLITE_PRAGMA) return pragmaRefusal(String(first).toLowerCase(), second, readOnly);
  if (action === constants.SQLITE_FUNCTION && refusedFunctions.has(String(second).toLowerCase())) {
    return `the function ${second} is refused`;
  }
  if (action === constants.SQLITE_CREATE_VTABLE && !virtualTables.has(String(second).toLowerCase())) {
    return `the virtual table module ${second} is refused; ${[...virtualTables].join(', ')} are served`;
  }
  if (tempActions.has(action)) return 'temporary tables are refused: connections are shared; use WITH';
  if (readOnly && !readActions.has(action))
    return 'this tool only reads; use execute or transaction to write';
  return undefined;
}

function pragmaRefusal(name: string, argument: string | null, readOnly: boolean): string | undefined {
  const sets = argument !== null && (name === 'user_version' || name === 'application_id');
  if (sets && readOnly) return 'this tool only reads; use execute or transaction to write';
  if (readPragmas.has(name) || (!readOnly && writePragmas.has(name))) return undefined;
  return `PRAGMA ${name} is refused; served are ${[...readPragmas].join(', ')}`;
}
