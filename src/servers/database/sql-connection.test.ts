import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { createSqlConnections } from './sql-connection.ts';

// Windows lets no one remove a file that is open.
it.skipIf(process.platform === 'win32')(
  'does not go on with a file that was removed or replaced',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sql-connection-'));
    const path = join(folder, 'x.db');
    const tables = () => connections.reader(path).database.prepare('SELECT name FROM sqlite_schema').all();
    using connections = createSqlConnections();
    connections.writer(path, 1e9).database.exec('CREATE TABLE old (x)');
    expect(tables()).toEqual([{ name: 'old' }]);
    expect(connections.reader(path)).toBe(connections.reader(path));
    for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
    expect(tables()).toEqual([]);
    using other = new DatabaseSync(path);
    other.exec('CREATE TABLE fresh (x)');
    expect(tables()).toEqual([{ name: 'fresh' }]);
    await rm(folder, { recursive: true });
  },
);

it('closes the handle used longest ago when too many are open', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sql-connection-'));
  using connections = createSqlConnections();
  const first = connections.writer(join(folder, '0.db'), 1e9);
  for (let index = 1; index < 20; index++) connections.writer(join(folder, `${index}.db`), 1e9);
  expect(first.database.isOpen).toBe(false);
  expect(connections.writer(join(folder, '0.db'), 1e9).database.isOpen).toBe(true);
  connections[Symbol.dispose]();
  await rm(folder, { recursive: true });
});
