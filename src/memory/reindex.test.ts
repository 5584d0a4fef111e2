import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createTempFolder, openTestMemory, runGit } from '../../test/fixtures/memory-in-temp.ts';

type Test = Awaited<ReturnType<typeof openTestMemory>>;

/** What readers of all kinds are told. */
async function answersOf(test: Test) {
  await test.call('list', {});
  // Ranks count all texts, and those are made when there is time.
  const db = new DatabaseSync(join(test.dataDir, 'index.sqlite'), { readOnly: true, timeout: 10_000 });
  const textLeft = () => (db.prepare('SELECT count(*) AS n FROM unindexed').get() as { n: number }).n;
  await expect.poll(textLeft, { timeout: 10_000 }).toBe(0);
  db.close();
  const { items } = await test.call('list', { limit: 1000 });
  const keys = items.map(({ key }) => key);
  const each = async (key: string) => [
    await test.call('retrieve', { key }),
    (await test.call('history', { key })).versions,
  ];
  const queries = ['text', 'value', 'ข้าว', 'fold*', '"', 'gone'];
  const { repositoryBytes: _, ...stats } = await test.call('stats', {});
  return {
    items,
    each: await Promise.all(keys.map(each)),
    gone: (await test.call('history', { key: 'gone' })).versions,
    hits: await Promise.all(queries.map(async (query) => (await test.call('search', { query })).hits)),
    tagged: (await test.call('list', { tags: ['t'] })).items,
    at: await test.call('retrieve', { key: 'a/0', at: 'snap:then' }),
    stats,
  };
}

describe('reindex', () => {
  it('answers as before: values, lists, search, history, also of what waits and what was pushed', async () => {
    await using folder = await createTempFolder();
    await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
    for (let i = 0; i < 6; i++) {
      await test.call('store', { key: `a/${i % 3}`, value: { text: `value ${i}` }, tags: ['t'] });
      await test.call('append', { key: 'log', text: `ฉันชอบกินข้าวผัด ${i}` });
    }
    await test.call('store', { key: 'gone', value: 'was here' });
    await test.call('snapshot', { action: 'create', name: 'then' });
    await test.call('delete', { key: 'gone' });
    await test.call('store', { key: 'a/1', value: 'text in place of JSON' });
    await test.memory.flush();
    const clone = join(folder.path, 'clone');
    runGit(folder.path, 'clone', '--quiet', join(test.dataDir, 'memory.git'), clone);
    await writeFile(join(clone, 'shared', 'pushed.md'), 'some text that was pushed\n');
    runGit(clone, 'add', '.');
    runGit(clone, 'commit', '--quiet', '--message', 'by hand');
    runGit(clone, 'push', '--quiet', 'origin', 'main');
    await test.memory.refresh();
    const before = await answersOf(test);
    const done = await test.call('reindex', {});
    expect(done).toMatchObject({ keys: 5, versions: 16 });
    expect(await answersOf(test)).toEqual(before);
    expect((await test.call('verify', { full: true })).findings).toEqual([]);
  });

  it('keeps what waits in the journal, and goes on beside writers without losing or doubling anything', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 5 });
    const ending = new AbortController();
    const counters = Array.from({ length: 6 }, async () => {
      let own = 0;
      for (; !ending.signal.aborted; own++) await test.call('increment', { key: 'counter' });
      return own;
    });
    for (let i = 0; i < 5; i++) await test.call('reindex', {});
    ending.abort();
    const total = (await Promise.all(counters)).reduce((sum, own) => sum + own, 0);
    expect((await test.call('retrieve', { key: 'counter' })).value).toBe(total);
    await test.memory.flush();
    expect(test.git('rev-list', '--count', 'main').trim()).toBe(String(total));
    expect((await test.call('verify', { full: true })).findings).toEqual([]);
  });
});
