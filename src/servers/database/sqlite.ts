/** SQLite: relational databases as files of this server, through guarded SQL. */

import { defineServer } from '../../kernel/define-server.ts';
import { backupDatabase, dropDatabase, listDatabases } from './sqlite-database-tools.ts';
import { sqliteSettingsShape } from './sqlite-settings.ts';
import { execute, query, transaction } from './sqlite-statement-tools.ts';
import { describeTable, importRows, listTables } from './sqlite-table-tools.ts';

export default defineServer({
  name: 'sqlite',
  title: 'SQLite',
  description: 'Keeps relational databases and answers SQL, with full-text search, transactions and backups.',
  version: '1.0.0',
  category: 'database',
  port: 3104,
  instructions:
    'Look with list_tables and describe_table, read with query, write with execute or transaction, fill tables with ' +
    'import_rows. Always pass values as parameters. FTS5 and R-Tree are available; ATTACH and extensions are not.',
  settings: sqliteSettingsShape,
  tools: [
    query,
    execute,
    transaction,
    listDatabases,
    listTables,
    describeTable,
    importRows,
    backupDatabase,
    dropDatabase,
  ],
  probe: { tool: 'query', arguments: { sql: 'SELECT sqlite_version()' } },
});
