/** What users of other memories complain about most, as acceptance cases for this one. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../src/kernel/clock.ts';
import { silentLogger } from '../../src/kernel/log.ts';
import { openMemory } from '../../src/memory/open-memory.ts';
import { runCli, startCoordinator } from '../e2e/start-coordinator.ts';
import { createTempFolder, openTestMemory, runGit } from '../fixtures/memory-in-temp.ts';

const failing = (code: string) => expect.objectContaining({ code });

describe('complaints about other memories', () => {
  it('"concurrent calls corrupt the file": 200 calls at once on one memory, and each counts', async () => {
    await using test = await openTestMemory();
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i} ก็ได้`);
    await Promise.all([
      ...lines.map((text) => test.call('append', { key: 'log', text })),
      ...lines.map(() => test.call('increment', { key: 'count' })),
    ]);
    const log = String((await test.call('retrieve', { key: 'log' })).value);
    expect(new Set(log.split('\n'))).toEqual(new Set(lines));
    expect(log.split('\n')).toHaveLength(100);
    expect((await test.call('retrieve', { key: 'count' })).value).toBe(100);
    await test.reopen();
    expect((await test.call('retrieve', { key: 'log' })).value).toBe(log);
    await test.memory.flush();
    expect(test.git('fsck', '--full', '--strict')).toBe('');
  });

  it('"two processes silently lose writes": several write through one coordinator, a second one is refused', async () => {
    await using coordinator = await startCoordinator();
    const { origin, dataDir } = coordinator;
    const texts = ['one', 'two', 'three', 'four', 'five'];
    const runs = await Promise.all(
      texts.map((text) => runCli(['memory', 'append', 'log', text, '--url', origin])),
    );
    expect(runs.map(({ code }) => code)).toEqual(texts.map(() => 0));
    const { stdout } = await runCli(['memory', 'retrieve', 'log', '--url', origin]);
    expect(stdout.trim().split('\n').toSorted()).toEqual(texts.toSorted());
    await expect(openMemory({ dataDir, logger: silentLogger })).rejects.toThrowError(
      failing('ALREADY_RUNNING'),
    );
    expect((await runCli(['memory', 'retrieve', 'log', '--url', origin])).stdout).toBe(stdout);
  });

  it('"writes that search finds only after 60 to 110 s": each is found by the very next call', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
    for (let i = 0; i < 50; i++) {
      await test.call('store', { key: `notes/${i}`, value: `zebra number${i} อยู่ที่นี่` });
      expect((await test.call('search', { query: `number${i}` })).hits[0]?.key).toBe(`notes/${i}`);
    }
    await test.call('store', { key: 'notes/7', value: 'giraffe' });
    expect((await test.call('search', { query: 'number7' })).hits).toEqual([]);
    expect((await test.call('search', { query: 'giraffe' })).hits.map(({ key }) => key)).toEqual(['notes/7']);
    // As many at once, each asking right after its own answer.
    const ask = async (i: number) => {
      await test.call('store', { key: `many/${i}`, value: `okapi${i}` });
      return (await test.call('search', { query: `okapi${i}` })).hits.map(({ key }) => key);
    };
    const found = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(100 + i)));
    expect(found).toEqual(found.map((_, i) => [`many/${100 + i}`]));
  });

  it('"NFC and NFD names become two keys": one memory, whoever writes it in whichever form', async () => {
    await using folder = await createTempFolder();
    await using test = await openTestMemory();
    const [composed, decomposed] = ['คำ/café', 'คำ/café'.normalize('NFD')];
    expect(composed).not.toBe(decomposed);
    await test.call('store', { key: composed, value: 'composed', tags: ['é'] });
    await test.call('store', { key: decomposed, value: 'decomposed', tags: ['é'.normalize('NFD')] });
    expect((await test.call('list', {})).items.map(({ key }) => key)).toEqual([composed.normalize('NFC')]);
    expect((await test.call('retrieve', { key: composed })).value).toBe('decomposed');
    expect(
      (await test.call('list', { prefix: decomposed, tags: ['é'.normalize('NFD')] })).items,
    ).toHaveLength(1);
    expect((await test.call('history', { key: decomposed })).versions).toHaveLength(2);
    await test.memory.flush();
    expect(test.git('ls-tree', '-r', '--name-only', 'main').trim().split('\n')).toHaveLength(1);
    // Someone on a disk that decomposes names pushes a file of theirs.
    const clone = join(folder.path, 'clone');
    runGit(folder.path, 'clone', '--quiet', join(test.dataDir, 'memory.git'), clone);
    await writeFile(join(clone, 'shared', `${'ñandú'.normalize('NFD')}.md`), 'pushed\n');
    runGit(clone, '-c', 'core.precomposeUnicode=false', 'add', '.');
    runGit(clone, 'commit', '--quiet', '--message', 'by hand');
    runGit(clone, 'push', '--quiet', 'origin', 'main');
    await test.memory.refresh();
    expect((await test.call('retrieve', { key: 'ñandú'.normalize('NFC') })).value).toBe('pushed');
    await test.call('store', { key: 'ñandú'.normalize('NFC'), value: 'ours' });
    expect((await test.call('list', {})).items).toHaveLength(2);
  });

  it('"forgotten items still surface from the index": gone from every list and search, at once and for good', async () => {
    const clock = createFakeClock(1_800_000_000_000);
    await using folder = await createTempFolder();
    await using test = await openTestMemory({ clock });
    const words = ['deleted', 'expired', 'pushed', 'replaced'];
    for (const word of words) {
      const ttl = word === 'expired' ? { ttlSeconds: 60 } : {};
      await test.call('store', { key: word, value: `walrus ${word}`, tags: ['walrus'], ...ttl });
    }
    await test.call('store', { key: 'stays', value: 'walrus', tags: ['walrus'] });
    await test.memory.flush();
    const seen = async () => {
      const listed = (await test.call('list', {})).items;
      const tagged = (await test.call('list', { tags: ['walrus'] })).items;
      const found = (await test.call('search', { query: 'walrus' })).hits;
      return [listed, tagged, found].map((rows) => rows.map(({ key }) => key).toSorted());
    };
    await test.call('delete', { key: 'deleted' });
    clock.advance(60_000);
    const clone = join(folder.path, 'clone');
    await test.memory.flush();
    runGit(folder.path, 'clone', '--quiet', join(test.dataDir, 'memory.git'), clone);
    runGit(clone, 'rm', '--quiet', 'shared/pushed.md');
    runGit(clone, 'commit', '--quiet', '--message', 'forget');
    runGit(clone, 'push', '--quiet', 'origin', 'main');
    await test.memory.refresh();
    await test.call('store', { key: 'replaced', value: 'seal' });
    const expected = [['replaced', 'stays'], ['stays'], ['stays']];
    expect(await seen()).toEqual(expected);
    await test.memory.flush();
    await test.reopen();
    expect(await seen()).toEqual(expected);
    await test.call('reindex', {});
    expect(await seen()).toEqual(expected);
    expect((await test.call('verify', { full: true })).findings).toEqual([]);
  });

  it('"100 records take an hour": a thousand one after the other, and a thousand at once, within this test', async () => {
    await using test = await openTestMemory();
    const value = { text: 'x'.repeat(1000) };
    for (let i = 0; i < 1000; i++) await test.call('store', { key: `one/${i % 100}/${i}`, value });
    const entries = Array.from({ length: 1000 }, (_, i) => ({ key: `batch/${i % 100}/${i}`, value }));
    await test.call('store_many', { entries });
    expect((await test.call('stats', {})).keys).toBe(2000);
    await test.memory.flush();
    expect(test.git('ls-tree', '-r', '--name-only', 'main').trim().split('\n')).toHaveLength(2000);
  });
});
