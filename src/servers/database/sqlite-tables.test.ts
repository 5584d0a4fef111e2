import { DatabaseSync } from 'node:sqlite';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import sqlite from './sqlite.ts';
import { sqlProcesses } from './sqlite-settings.ts';

let harness: ServerHarness;
const harnesses: ServerHarness[] = [];

beforeEach(async () => {
  harness = await createServerHarness(sqlite);
  harnesses.push(harness);
});

afterAll(async () => {
  await sqlProcesses()[Symbol.asyncDispose]();
  for (const used of harnesses) await used[Symbol.asyncDispose]();
});

const execute = (sql: string, database = 'main') => harness.call('execute', { sql, database });
const rowsOf = async (sql: string, database = 'main') =>
  (await harness.call<{ rows: object[] }>('query', { sql, database })).rows;

describe('tables', () => {
  it('lists tables and views, not what SQLite keeps for itself', async () => {
    await execute('CREATE TABLE b (x INTEGER PRIMARY KEY AUTOINCREMENT, y)');
    await execute('CREATE VIEW a AS SELECT x FROM b');
    await execute('CREATE VIRTUAL TABLE f USING fts5(body)');
    expect(await harness.call('list_tables')).toEqual({
      tables: [
        { name: 'a', type: 'view', columns: 1 },
        { name: 'b', type: 'table', columns: 2 },
        { name: 'f', type: 'virtual', columns: 3 },
      ],
      truncated: false,
    });
    expect(await harness.call('list_tables', { limit: 1 })).toMatchObject({ truncated: true });
  });

  it('describes columns, keys, indexes and triggers', async () => {
    await execute('CREATE TABLE "ตา""ราง" (a INT, b TEXT, PRIMARY KEY (b, a)) STRICT, WITHOUT ROWID');
    await execute(`CREATE TABLE child (
      id INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x', a INT, total AS (id * 2),
      FOREIGN KEY (b, a) REFERENCES "ตา""ราง" (b, a) ON DELETE CASCADE)`);
    await execute('CREATE UNIQUE INDEX by_b ON child (b, lower(b))');
    await execute('CREATE TRIGGER watch AFTER DELETE ON child BEGIN SELECT 1; END');
    expect(await harness.call('describe_table', { table: 'ตา"ราง' })).toMatchObject({
      strict: true,
      withoutRowid: true,
      columns: [
        { name: 'a', type: 'INT', primaryKeyPosition: 2 },
        { name: 'b', type: 'TEXT', primaryKeyPosition: 1 },
      ],
    });
    expect(await harness.call('describe_table', { table: 'CHILD' })).toMatchObject({
      name: 'child',
      type: 'table',
      columns: [
        { name: 'id', primaryKeyPosition: 1 },
        { name: 'b', notNull: true, defaultValue: "'x'" },
        { name: 'a', generated: false },
        { name: 'total', generated: true },
      ],
      indexes: [{ name: 'by_b', unique: true, columns: ['b', '(expression)'] }],
      foreignKeys: [{ columns: ['b', 'a'], table: 'ตา"ราง', references: ['b', 'a'], onDelete: 'CASCADE' }],
      triggers: ['watch'],
      rowCount: 0,
      rowCountExact: true,
    });
    await expect(harness.call('describe_table', { table: 'none' })).rejects.toThrow(
      /no table "none"; there are child/,
    );
  });
});

describe('import_rows', () => {
  const rows = [{ id: 1, name: 'ก', score: 1 }, { id: 2, name: 'ข', score: 2.5 }, { id: 3 }];

  it('makes a table with types that fit', async () => {
    const done = await harness.call('import_rows', { table: 'scores', rows, createTable: true });
    expect(done).toEqual({ inserted: 3, skipped: 0, created: true, columns: ['id', 'name', 'score'] });
    const described = await harness.call<{ columns: { type: string }[] }>('describe_table', {
      table: 'scores',
    });
    expect(described.columns.map(({ type }) => type)).toEqual(['INTEGER', 'TEXT', 'REAL']);
    expect(await rowsOf('SELECT * FROM scores WHERE id = 3')).toEqual([{ id: 3, name: null, score: null }]);
  });

  it('imports all rows or none, or skips, or replaces', async () => {
    await execute('CREATE TABLE k (id INTEGER PRIMARY KEY, name TEXT)');
    await execute("INSERT INTO k VALUES (2, 'old')");
    const wish = {
      table: 'k',
      rows: [
        { id: 1, name: 'a' },
        { id: 2, name: 'new' },
      ],
    };
    await expect(harness.call('import_rows', wish)).rejects.toThrow(/rows\[1\]: UNIQUE constraint failed/);
    expect(await rowsOf('SELECT * FROM k')).toEqual([{ id: 2, name: 'old' }]);
    const ignored = await harness.call('import_rows', { ...wish, onConflict: 'ignore' });
    expect(ignored).toMatchObject({ inserted: 1, skipped: 1 });
    await harness.call('import_rows', { ...wish, onConflict: 'replace' });
    expect(await rowsOf('SELECT name FROM k WHERE id = 2')).toEqual([{ name: 'new' }]);
  });

  it('says which column or table is missing', async () => {
    await expect(harness.call('import_rows', { table: 'nope', rows })).rejects.toThrow(
      /no table "nope"; there are none/,
    );
    await execute('CREATE TABLE t (id)');
    await expect(harness.call('import_rows', { table: 't', rows })).rejects.toThrow(
      /no column name, score; it has id/,
    );
    await expect(harness.call('import_rows', { table: 't', rows: [{}] })).rejects.toThrow(/no fields/);
  });

  it('takes 10,000 rows and hostile column names', async () => {
    const many = Array.from({ length: 10_000 }, (_, id) => ({ id, 'a"b); DROP TABLE x; --': 'v' }));
    expect(await harness.call('import_rows', { table: 'm', rows: many, createTable: true })).toMatchObject({
      inserted: 10_000,
    });
    expect(await rowsOf('SELECT count(*) AS n FROM m')).toEqual([{ n: 10_000 }]);
  });
});

describe('databases', () => {
  it('keeps databases apart, lists, backs up and drops them', async () => {
    await execute('CREATE TABLE t (x)', 'one');
    await execute('CREATE TABLE t (x)', 'two');
    await execute('INSERT INTO t VALUES (7)', 'one');
    expect(await rowsOf('SELECT * FROM t', 'two')).toEqual([]);
    const names = async () =>
      (await harness.call<{ databases: { name: string }[] }>('list_databases')).databases.map(
        ({ name }) => name,
      );
    expect(await names()).toEqual(['one', 'two']);
    const backup = await harness.call<{ path: string; bytes: number }>('backup_database', {
      database: 'one',
    });
    using copy = new DatabaseSync(backup.path, { readOnly: true });
    expect(copy.prepare('SELECT x FROM t').all()).toEqual([{ x: 7 }]);
    await expect(harness.call('drop_database', { database: 'one', confirm: 'two' })).rejects.toThrow(
      /confirm/,
    );
    expect(await harness.call('drop_database', { database: 'one', confirm: 'one' })).toEqual({
      dropped: 'one',
    });
    expect(await names()).toEqual(['two']);
    await expect(harness.call('drop_database', { database: 'one', confirm: 'one' })).rejects.toThrow(
      /no one; there are two/,
    );
    await execute('CREATE TABLE t (x)', 'one');
    expect(await rowsOf('SELECT * FROM t', 'one')).toEqual([]);
  });

  it('says so when a file is no database', async () => {
    await mkdir(harness.dataDir, { recursive: true });
    await writeFile(
      join(harness.dataDir, 'bad.db'),
      'this is no database, only a long enough text'.repeat(100),
    );
    await expect(rowsOf('SELECT 1 FROM sqlite_schema', 'bad')).rejects.toThrow(/not a (SQLite )?database/);
    await expect(execute('CREATE TABLE t (x)', 'bad')).rejects.toThrow(/not a (SQLite )?database/);
  });
});
