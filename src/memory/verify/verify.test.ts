import { appendFile, cp, readFile, readdir, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createTempFolder, openTestMemory, runGit } from '../../../test/fixtures/memory-in-temp.ts';
import type { Finding } from './finding.ts';
import { verifyMemory } from './verify-memory.ts';

const offline = { isLive: false, isFull: true };
const worst = ({ findings }: { findings: readonly Finding[] }) =>
  findings.map(({ severity, where }) => `${severity} ${where}`);

/** A closed memory with values of each kind, some committed and some only in the journal, in a folder of its own. */
async function createDataDir() {
  const folder = await createTempFolder();
  await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
  for (let i = 0; i < 5; i++) await test.call('store', { key: `n/${i}`, value: { i }, tags: ['n'] });
  await test.memory.flush();
  await test.call('store', { key: 'Text/ก', value: 'some text' });
  await test.call('store', { key: 'x'.repeat(300), value: 'a long key' });
  await test.call('snapshot', { action: 'create', name: 's' });
  await test.memory.flush();
  await test.call('store', { key: 'n/0', value: 'was JSON' });
  await test.call('delete', { key: 'n/1' });
  await test.call('list', {});
  const db = new DatabaseSync(join(test.dataDir, 'index.sqlite'), { readOnly: true });
  const textLeft = () => (db.prepare('SELECT count(*) AS n FROM unindexed').get() as { n: number }).n;
  await expect.poll(textLeft, { timeout: 10_000 }).toBe(0);
  db.close();
  // As a killed coordinator leaves it: two writes are only in the journal.
  await cp(test.dataDir, folder.path, { recursive: true });
  const dataDir = folder.path;
  return {
    dataDir,
    git: (...args: string[]) => runGit(join(dataDir, 'memory.git'), ...args),
    sql(text: string) {
      const db = new DatabaseSync(join(dataDir, 'index.sqlite'));
      db.exec(text);
      db.close();
    },
    verify: (more: object = {}) => verifyMemory({ dataDir, ...offline, ...more }, () => {}),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe('verify of a stopped memory', () => {
  it('finds nothing in a sound one, and says how much it looked at', async () => {
    await using data = await createDataDir();
    const report = await data.verify();
    expect(report).toMatchObject({ healthy: true, findings: [] });
    expect(report.checked).toEqual({
      commits: 7,
      files: 7,
      entries: 6,
      contents: 6,
      searchRows: 6,
      journalRecords: 9,
      backups: 0,
    });
  });

  it('finds none at all where there is no memory', async () => {
    await using folder = await createTempFolder();
    const report = await verifyMemory({ dataDir: folder.path, ...offline }, () => {});
    expect([report.healthy, worst(report)]).toEqual([false, ['error repository']]);
  });

  it('finds a pack with a wrong byte', async () => {
    await using data = await createDataDir();
    const packs = join(data.dataDir, 'memory.git', 'objects', 'pack');
    const name = (await readdir(packs)).find((one) => one.endsWith('.pack')) ?? '';
    const bytes = await readFile(join(packs, name));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 30) ^ 1, bytes.length - 30);
    await rm(join(packs, name), { force: true });
    await writeFile(join(packs, name), bytes);
    const report = await data.verify();
    expect(report.healthy).toBe(false);
    expect(worst(report)).toContain('error repository objects');
  });

  it('finds a damaged ref, and a snapshot that is no commit', async () => {
    await using data = await createDataDir();
    data.git('update-ref', 'refs/tags/snap/tree', data.git('rev-parse', 'main^{tree}').trim());
    expect(worst(await data.verify())).toEqual(['warning ref refs/tags/snap/tree']);
    await writeFile(join(data.dataDir, 'memory.git', 'refs', 'heads', 'main'), 'nonsense\n');
    const report = await data.verify();
    expect(worst(report)).toEqual(
      expect.arrayContaining(['error ref refs/heads/main', 'error repository objects']),
    );
  });

  it('finds journal damage in the middle, a torn end, and a mark that main has lost', async () => {
    await using data = await createDataDir();
    const journal = join(data.dataDir, 'journal');
    const name = (await readdir(journal)).find((one) => one.endsWith('.journal')) ?? '';
    await appendFile(join(journal, name), 'torn');
    expect(worst(await data.verify())).toEqual([`note journal ${name}`]);
    const bytes = await readFile(join(journal, name));
    const at = bytes.indexOf('n/3');
    await writeFile(
      join(journal, name),
      Buffer.concat([bytes.subarray(0, at), Buffer.from('n/4'), bytes.subarray(at + 3)]),
    );
    const damaged = await data.verify();
    expect(worst(damaged)).toContain(`error journal ${name}`);
    // The two writes behind the damage are in nothing else.
    expect(worst(damaged)).toEqual(expect.arrayContaining(['error value shared/n/0']));
    await writeFile(join(journal, name), bytes);
    data.git('update-ref', 'refs/heads/main', 'main~3');
    expect(worst(await data.verify())).toEqual(
      expect.arrayContaining(['error journal landed.json', 'warning index']),
    );
  });

  it('finds a lost segment by what the index was told', async () => {
    await using data = await createDataDir();
    const journal = join(data.dataDir, 'journal');
    for (const name of await readdir(journal))
      if (name.endsWith('.journal')) await unlink(join(journal, name));
    const report = await data.verify();
    expect(worst(report)).toEqual(['error value shared/n/0', 'error file shared/n/1.json']);
  });

  it.each([
    [
      'a value with other bytes',
      `UPDATE entries SET content = x'00' WHERE key = 'n/2'`,
      'error value shared/n/2',
    ],
    [
      'a value with another etag',
      `UPDATE entries SET etag = '0' WHERE key = 'n/2'`,
      'error value shared/n/2',
    ],
    ['tags of nobody', `UPDATE entries SET tags = '["m"]' WHERE key = 'n/2'`, 'error value shared/n/2'],
    ['a value that is not there', `DELETE FROM entries WHERE key = 'n/2'`, 'error file shared/n/2.json'],
    [
      'a long key that is not there',
      `DELETE FROM entries WHERE key LIKE 'xxx%'`,
      /error file shared\/x{80}~/,
    ],
    [
      'a value of nobody',
      `INSERT INTO entries (scope, key, path, etag, tags, at_ms, actor, seq, bytes, content) SELECT scope, 'ghost', 'shared/ghost.json', etag, tags, at_ms, actor, seq, bytes, content FROM entries WHERE key = 'n/2'`,
      'error value shared/ghost',
    ],
    ['a missing search row', 'DELETE FROM search WHERE rowid = 3', 'error search'],
    ['a search row too many', `INSERT INTO search (rowid, words) VALUES (99, 'ghost')`, 'error search'],
    ['a missing version', `DELETE FROM versions WHERE key = 'n/2'`, 'error history shared/n/2'],
    ['a wrong count', `UPDATE meta SET value = '3' WHERE name = 'commits'`, 'warning index'],
    ['an index of nobody', `UPDATE meta SET value = '${'0'.repeat(40)}' WHERE name = 'head'`, 'error index'],
  ])('finds %s', async (_name, sql, expected) => {
    await using data = await createDataDir();
    data.sql(sql);
    const found = worst(await data.verify());
    expect(found).toContainEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  it('finds an index file that is torn, and none to be no fault', async () => {
    await using data = await createDataDir();
    data.sql('PRAGMA wal_checkpoint(TRUNCATE)');
    await truncate(join(data.dataDir, 'index.sqlite'), 20_000);
    expect((await data.verify()).healthy).toBe(false);
    for (const ending of ['', '-wal', '-shm'])
      await rm(join(data.dataDir, `index.sqlite${ending}`), { force: true });
    const report = await data.verify();
    expect([report.healthy, worst(report)]).toEqual([true, ['note index']]);
  });

  it('tells of keep marks', async () => {
    await using data = await createDataDir();
    const packs = join(data.dataDir, 'memory.git', 'objects', 'pack');
    const [stem = ''] = (await readdir(packs))
      .filter((name) => name.endsWith('.pack'))
      .map((name) => name.slice(0, -5));
    await writeFile(join(packs, `${stem}.keep`), '');
    expect(worst(await data.verify())).toEqual([`note pack ${stem}.keep`]);
  });
});

describe('verify beside writers', () => {
  it('finds nothing wrong, tells its steps, and is one at a time', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 2, maxPacks: 4 });
    await test.call('store', { key: 'first', value: 1 });
    await test.memory.flush();
    const ending = new AbortController();
    const writing = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; !ending.signal.aborted && i < 1000; i++) {
        const key = `k/${(writer + i) % 7}`;
        if (i % 9 === 8) await test.call('delete', { key }, `w${writer}`);
        else
          await test.call('store', { key, value: i % 5 === 0 ? `text ${i}` : { writer, i } }, `w${writer}`);
      }
    });
    try {
      const first = test.call('verify', { full: true });
      const second = await test.call('verify', {}).catch((error: { code: string }) => error.code);
      expect(second).toBe('OVERLOADED');
      expect(await test.call('verify', { action: 'status' })).toMatchObject({ running: true });
      const report = await first;
      expect(report).toMatchObject({ healthy: true, findings: [], running: false });
      for (let i = 0; i < 3; i++) expect((await test.call('verify', {})).findings).toEqual([]);
    } finally {
      ending.abort();
      await Promise.all(writing);
    }
    const last = await test.call('verify', { action: 'status' });
    expect(last).toMatchObject({ running: false, healthy: true });
  });

  it('finds what is wrong in the running index too, and reindex mends it', async () => {
    await using test = await openTestMemory();
    for (let i = 0; i < 4; i++) await test.call('store', { key: `k/${i}`, value: { i } });
    await test.memory.flush();
    const db = new DatabaseSync(join(test.dataDir, 'index.sqlite'), { timeout: 10_000 });
    db.exec(`DELETE FROM entries WHERE key = 'k/2'; UPDATE entries SET etag = '0' WHERE key = 'k/3'`);
    db.close();
    const { healthy, findings } = await test.call('verify', {});
    expect([healthy, findings.map(({ where }) => where).toSorted()]).toEqual([
      false,
      ['file shared/k/2.json', 'search', 'value shared/k/3', 'value shared/k/3'],
    ]);
    await test.call('reindex', {});
    expect(await test.call('verify', {})).toMatchObject({ healthy: true, findings: [] });
  });
});
