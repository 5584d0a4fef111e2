import * as fc from 'fast-check';
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
  // Windows removes no file that a process has open.
  await sqlProcesses()[Symbol.asyncDispose]();
  for (const used of harnesses) await used[Symbol.asyncDispose]();
});

interface Rows {
  readonly columns: string[];
  readonly rows: Record<string, unknown>[];
  readonly truncated: boolean;
}

const query = (sql: string, parameters?: unknown, more: object = {}) =>
  harness.call<Rows>('query', { sql, parameters, ...more });
const execute = (sql: string, parameters?: unknown, more: object = {}) =>
  harness.call<Rows & { changes: number; lastInsertRowid?: string }>('execute', { sql, parameters, ...more });
const transaction = (...statements: object[]) =>
  harness.call<{ changes: number; results: Rows[] }>('transaction', { statements });

async function seed(): Promise<void> {
  await execute('CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INT)');
  await execute("INSERT INTO people (name, age) VALUES ('สมชาย', 30), ('Ada', 36)");
}

describe('query', () => {
  it('reads an empty main database before anything was written, without making a file', async () => {
    expect(await query('SELECT 1 AS one')).toEqual({
      columns: ['one'],
      rows: [{ one: 1 }],
      truncated: false,
    });
    expect(await harness.call('list_databases')).toEqual({ databases: [] });
  });

  it('binds lists and names, Thai included', async () => {
    await seed();
    expect((await query('SELECT age FROM people WHERE name = ?', ['สมชาย'])).rows).toEqual([{ age: 30 }]);
    expect((await query('SELECT name FROM people WHERE age > :min', { min: 35 })).rows).toEqual([
      { name: 'Ada' },
    ]);
    expect((await query('SELECT name FROM people WHERE name = ?', ["' OR 1=1 --"])).rows).toEqual([]);
  });

  it('represents every kind of value', async () => {
    const { rows } = await query(
      "SELECT 9223372036854775807 AS big, x'00ff' AS blob, 1.5 AS real, NULL AS none, 9e999 AS inf",
    );
    expect(rows).toEqual([
      {
        big: { integer: '9223372036854775807' },
        blob: { base64: 'AP8=' },
        real: 1.5,
        none: null,
        inf: 'Infinity',
      },
    ]);
  });

  it('gives back what it was given', async () => {
    await execute('CREATE TABLE v (x)');
    const bigint = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const value = fc.oneof(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed() && !text.includes('\u0000')),
      fc.maxSafeInteger(),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((number) => (Object.is(number, -0) ? 0 : number)),
      fc.constant(null),
      fc.uint8Array().map((bytes) => ({ base64: Buffer.from(bytes).toString('base64') })),
      bigint.filter((big) => !Number.isSafeInteger(Number(big))).map((big) => ({ integer: String(big) })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 50 }), async (values) => {
        const marks = values.map((_, index) => `? AS c${index}`).join(', ');
        const { rows } = await query(`SELECT ${marks}`, values);
        expect(Object.values(rows[0]!)).toEqual(values);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps whole numbers integers and turns booleans into them', async () => {
    expect((await query('SELECT typeof(?) AS a, typeof(?) AS b, ? AS c', [1, 1.5, true])).rows).toEqual([
      { a: 'integer', b: 'real', c: 1 },
    ]);
  });

  it('names repeated columns apart', async () => {
    expect((await query('SELECT 1 AS a, 2 AS a, 3 AS a')).rows).toEqual([{ a: 1, a_2: 2, a_3: 3 }]);
  });

  it('stops at the row limit and at 1 MiB', async () => {
    const series =
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i FROM n';
    const byRows = await query(series, undefined, { limit: 10 });
    expect(byRows).toMatchObject({ truncated: true });
    expect(byRows.rows).toHaveLength(10);
    const byBytes = await query(`SELECT hex(zeroblob(100000)) AS x FROM (${series})`, undefined, {
      limit: 1000,
    });
    expect(byBytes.truncated).toBe(true);
    expect(byBytes.rows).toHaveLength(5);
    await expect(query('SELECT hex(zeroblob(1000000)) AS x')).rejects.toThrow(/first row has over/);
    await expect(query('SELECT zeroblob(100000000) AS x')).rejects.toThrow(/larger than/);
  });

  it.each([
    ['DELETE FROM people', /only reads/],
    ["INSERT INTO people (name) VALUES ('x') RETURNING id", /only reads/],
    ['CREATE TABLE t (x)', /only reads/],
    ['PRAGMA user_version = 7', /only reads/],
    ['PRAGMA journal_mode = DELETE', /PRAGMA journal_mode is refused/],
    ['PRAGMA database_list', /PRAGMA database_list is refused/],
    ['PRAGMA writable_schema = 1', /refused/],
    ['BEGIN', /use the tool transaction/],
    ["ATTACH '/tmp/x.db' AS x", /ATTACH/],
    ["VACUUM INTO '/tmp/x.db'", /ATTACH|only reads/],
    ["SELECT load_extension('x')", /load_extension|not authorized/],
    ['SELECT 1; DELETE FROM people', /more than one statement/],
    ['SELECT 1; SELECT 2', /more than one statement/],
    ['SELEC 1', /sql: near "SELEC": syntax error/],
    ['-- nothing', /no statements/],
    ['SELECT * FROM nope', /no such table: nope/],
  ])('refuses %s', async (sql, problem) => {
    await seed();
    await expect(query(sql)).rejects.toThrow(problem);
    expect((await query('SELECT count(*) AS n FROM people')).rows).toEqual([{ n: 2 }]);
  });

  it('takes one statement with comments and a semicolon', async () => {
    expect((await query('/* a; */ SELECT 1 AS x -- b;\n ; ; -- c')).rows).toEqual([{ x: 1 }]);
  });

  it('reports bad parameters and names', async () => {
    await expect(query('SELECT ?', [1, 2])).rejects.toThrow(/column index out of range/);
    await expect(query('SELECT :a', { b: 1 })).rejects.toThrow(/Unknown named parameter/);
    await expect(query('SELECT ?', [{ integer: '9223372036854775808' }])).rejects.toThrow(
      /parameters\[0\]: .*64 bits/,
    );
    await expect(query('SELECT 1', [], { database: 'other' })).rejects.toThrow(
      /no other; there are none yet/,
    );
    for (const database of ['../x', 'a/b', 'a.b', '', 'nul', 'ไทย', 'x'.repeat(65)]) {
      await expect(query('SELECT 1', [], { database })).rejects.toThrow(/database/);
    }
  });
});

describe('execute', () => {
  it('counts changes and returns rows', async () => {
    await seed();
    const written = await execute("INSERT INTO people (name) VALUES ('x'), ('y') RETURNING id");
    expect(written).toMatchObject({ changes: 2, lastInsertRowid: '4', rows: [{ id: 3 }, { id: 4 }] });
    const updated = await execute('UPDATE people SET age = 1 WHERE age IS NULL');
    expect(updated.changes).toBe(2);
    expect(updated).not.toHaveProperty('lastInsertRowid');
    expect((await execute('CREATE TABLE t (x)')).changes).toBe(0);
  });

  it('writes all rows of RETURNING although it shows 200', async () => {
    await execute('CREATE TABLE t (x)');
    const series = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)';
    const written = await execute(`${series} INSERT INTO t SELECT i FROM n RETURNING x`);
    expect(written).toMatchObject({ changes: 1000, truncated: true });
    expect(written.rows).toHaveLength(200);
  });

  it.each([
    ["ATTACH DATABASE '/tmp/x.db' AS x", /ATTACH/],
    ["VACUUM INTO '/tmp/x.db'", /ATTACH/],
    ['CREATE TEMP TABLE t (x)', /temporary tables/],
    ["CREATE VIRTUAL TABLE t USING csv(filename='/etc/passwd')", /module csv is refused/],
    ['SAVEPOINT a', /use the tool transaction/],
    ['PRAGMA synchronous = OFF', /refused/],
    ["INSERT INTO people (name) VALUES ('Ada')", /UNIQUE constraint failed/],
    ['DELETE FROM people; DROP TABLE people', /more than one statement/],
    ["UPDATE sqlite_schema SET sql = ''", /may not be modified/],
  ])('refuses %s', async (sql, problem) => {
    await seed();
    await expect(execute(sql)).rejects.toThrow(problem);
    expect((await query('SELECT count(*) AS n FROM people')).rows).toEqual([{ n: 2 }]);
  });

  it('serves full-text search and foreign keys', async () => {
    await execute('CREATE VIRTUAL TABLE notes USING fts5(body)');
    await execute("INSERT INTO notes VALUES ('the quick fox'), ('slow snail')");
    expect((await query("SELECT body FROM notes WHERE notes MATCH 'quick'")).rows).toEqual([
      { body: 'the quick fox' },
    ]);
    await seed();
    await execute('CREATE TABLE pets (owner INT REFERENCES people(id))');
    await expect(execute('INSERT INTO pets VALUES (99)')).rejects.toThrow(/FOREIGN KEY/);
  });

  it('refuses to grow beyond maxDatabaseBytes', async () => {
    await using small = await createServerHarness(sqlite, { maxDatabaseBytes: 100_000 });
    await small.call('execute', { sql: 'CREATE TABLE t (x)' });
    const grow = small.call('execute', { sql: 'INSERT INTO t VALUES (zeroblob(1000000))' });
    await expect(grow).rejects.toThrow(/size limit/);
    await sqlProcesses().endIdle();
  });
});

describe('transaction', () => {
  it('does all or nothing', async () => {
    await seed();
    const done = await transaction(
      { sql: 'DELETE FROM people' },
      { sql: 'SELECT count(*) AS n FROM people' },
    );
    expect(done).toMatchObject({ changes: 2, results: [{ changes: 2 }, { rows: [{ n: 0 }] }] });
    const failing = transaction(
      { sql: 'INSERT INTO people (name) VALUES (?)', parameters: ['a'] },
      { sql: 'INSERT OR ROLLBACK INTO people (name) VALUES (?)', parameters: ['a'] },
    );
    await expect(failing).rejects.toThrow(/statements\[1\]\.sql: UNIQUE/);
    expect((await query('SELECT count(*) AS n FROM people')).rows).toEqual([{ n: 0 }]);
    await expect(transaction({ sql: 'SELECT 1' }, { sql: 'COMMIT' })).rejects.toThrow(
      /statements\[1\].*refused/,
    );
  });

  it('keeps 100 concurrent increments apart', async () => {
    await execute('CREATE TABLE c (n INT)');
    await execute('INSERT INTO c VALUES (0)');
    await Promise.all(Array.from({ length: 100 }, () => transaction({ sql: 'UPDATE c SET n = n + 1' })));
    expect((await query('SELECT n FROM c')).rows).toEqual([{ n: 100 }]);
  });
});
