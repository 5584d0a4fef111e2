import { describe, expect, it } from 'vitest';
import { openMemory } from './open-memory.ts';
import { silentLogger } from '../kernel/log.ts';
import { openTestMemory, runGit } from '../../test/fixtures/memory-in-temp.ts';

const failing = (code: string) => expect.objectContaining({ code });

describe('store and retrieve', () => {
  it('gives back any value, also after opening again', async () => {
    await using test = await openTestMemory();
    const values: unknown[] = [
      'text',
      '',
      'บันทึก\n',
      { b: 1, a: [null, { x: 'ก' }] },
      0,
      false,
      null,
      [],
      'a\r\n',
    ];
    for (const [i, value] of values.entries()) await test.call('store', { key: `k/${i}`, value });
    await test.reopen();
    for (const [i, value] of values.entries()) {
      const read = await test.call('retrieve', { key: `k/${i}` });
      expect(read.value).toEqual(value);
      expect(read.commit).toMatch(/^[0-9a-f]{40}$/);
      expect(read).toMatchObject({ scope: 'shared', actor: 'tester', tags: [] });
    }
    expect(test.git('fsck', '--full', '--strict')).toBe('');
  });

  it('shows a write at once, before its commit, and the etag is the blob in Git', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
    const { etag } = await test.call('store', {
      key: 'projects/apollo',
      value: 'moon',
      tags: ['b', 'a', 'b'],
    });
    expect(await test.call('retrieve', { key: 'projects/apollo' })).toMatchObject({
      etag,
      commit: null,
      tags: ['a', 'b'],
    });
    expect((await test.call('list', {})).items).toHaveLength(1);
    expect((await test.call('search', { query: 'moon' })).hits).toHaveLength(1);
    expect((await test.call('stats', {})).journalPending).toBe(1);
    await test.memory.flush();
    expect(test.git('rev-parse', 'main:shared/projects/apollo.md').trim()).toBe(etag);
    expect((await test.call('stats', {})).journalPending).toBe(0);
  });

  it('keeps scopes apart, in the folders of the product', async () => {
    await using test = await openTestMemory();
    const scopes = ['shared', 'coordinator', 'category:database', 'server:server-4100'];
    for (const scope of scopes) await test.call('store', { key: 'k', scope, value: scope });
    await test.memory.flush();
    expect(test.git('ls-tree', '-r', '--name-only', 'main').trim().split('\n')).toEqual([
      'categories/database/k.md',
      'coordinator/k.md',
      'servers/server-4100/k.md',
      'shared/k.md',
    ]);
    for (const scope of scopes) expect((await test.call('retrieve', { key: 'k', scope })).value).toBe(scope);
    expect((await test.call('stats', {})).scopes.map((one) => one.scope)).toEqual([...scopes].sort());
  });

  it('takes NFC and NFD for one key, and keeps capitals apart', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'cafe\u0301', value: 1 });
    await test.call('store', { key: 'caf\u00e9', value: 2 });
    await test.call('store', { key: 'CAF\u00c9', value: 3 });
    expect((await test.call('list', {})).items.map((item) => item.key)).toEqual(['CAFÉ', 'café']);
    expect((await test.call('retrieve', { key: 'cafe\u0301' })).value).toBe(2);
  });

  it('changes type without leaving the old file', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'k', value: 'text' });
    await test.call('store', { key: 'k', value: { now: 'json' } });
    await test.memory.flush();
    expect(test.git('ls-tree', '-r', '--name-only', 'main').trim()).toBe('shared/k.json');
    await test.call('delete', { key: 'k' });
    await test.memory.flush();
    expect(test.git('ls-tree', '-r', '--name-only', 'main').trim()).toBe('');
  });

  it('does nothing for the same value again', async () => {
    await using test = await openTestMemory();
    const [first, second] = await Promise.all([
      test.call('store', { key: 'k', value: { a: 1, b: 2 } }),
      test.call('store', { key: 'k', value: { b: 2, a: 1 } }),
    ]);
    expect(second).toEqual(first);
    await test.memory.flush();
    expect((await test.call('stats', {})).commits).toBe(1);
  });

  it('refuses bad input by field', async () => {
    await using test = await openTestMemory();
    const bad = [
      { key: '../etc/passwd', value: 1 },
      { key: '', value: 1 },
      { key: 'k', value: '\ud800' },
      { key: 'k', value: 1, scope: 'nowhere' },
      { key: 'k' } as never,
      { key: 'k', value: 1, extra: true } as never,
    ];
    for (const input of bad)
      await expect(test.call('store', input)).rejects.toThrowError(failing('INVALID_INPUT'));
    const big = 'x'.repeat(9 * 1024 * 1024);
    await expect(test.call('store', { key: 'k', value: big })).rejects.toThrowError(
      failing('PAYLOAD_TOO_LARGE'),
    );
    await expect(test.call('retrieve', { key: 'k' })).rejects.toThrowError(failing('MEMORY_NOT_FOUND'));
  });
});

describe('concurrency', () => {
  it('lets one of many create a key, and none overwrite what it has not seen', async () => {
    await using test = await openTestMemory();
    const create = (i: number) =>
      test.call('store', { key: 'lock', value: { i }, ifMatch: 'absent' }, `w${i}`);
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => create(i)));
    expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of results)
      if (one.status === 'rejected') expect(one.reason).toEqual(failing('MEMORY_CHANGED'));
    await expect(test.call('delete', { key: 'lock', ifMatch: 'f'.repeat(40) })).rejects.toThrowError(
      failing('MEMORY_CHANGED'),
    );
  });

  it('loses no increment of a compare-and-swap loop', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'n', value: 0 });
    const increment = async (): Promise<void> => {
      for (;;) {
        const { value, etag } = await test.call('retrieve', { key: 'n' });
        try {
          await test.call('store', { key: 'n', value: Number(value) + 1, ifMatch: etag });
          return;
        } catch (error) {
          expect(error).toEqual(failing('MEMORY_CHANGED'));
        }
      }
    };
    await Promise.all(Array.from({ length: 25 }, increment));
    expect((await test.call('retrieve', { key: 'n' })).value).toBe(25);
    expect((await test.call('history', { key: 'n' })).versions).toHaveLength(26);
  });

  it('keeps every version of many writers, under pressure too', async () => {
    await using test = await openTestMemory();
    const writes = Array.from({ length: 600 }, (_, i) =>
      test.call('store', { key: `k${i % 50}`, value: { i } }, `writer-${i % 3}`),
    );
    await Promise.all(writes);
    await test.memory.flush();
    const { versions } = await test.call('history', { key: 'k7' });
    expect(versions).toHaveLength(12);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
    expect(test.git('log', '--format=%H', '--', 'shared/k7.json').trim().split('\n')).toEqual(
      versions.map((version) => version.commit),
    );
  });

  it('refuses a second opening of the same folder', async () => {
    await using test = await openTestMemory();
    const second = openMemory({ dataDir: test.dataDir, logger: silentLogger });
    await expect(second).rejects.toThrowError(failing('ALREADY_RUNNING'));
    await expect(second).rejects.toMatchObject({ data: { pid: process.pid } });
    await test.reopen();
  });
});

describe('commits', () => {
  it('name actor and request, and nothing a caller sends forges a trailer', async () => {
    await using test = await openTestMemory();
    const evil = 'x\nMemory-Seq: 999999\n\nMemory-Op: delete <a@b>';
    await test.memory.call('store', { key: evil, value: 1 }, { actor: evil, agent: evil, requestId: evil });
    await test.memory.call('store', { key: 'k', value: 1 }, { actor: '', agent: '', requestId: '' });
    await test.memory.flush();
    const trailers = test.git('log', '-1', '--skip=1', '--format=%(trailers:key=Memory-Seq,valueonly)');
    expect(trailers.trim()).toBe('1');
    expect(test.git('fsck', '--full', '--strict')).toBe('');
    await test.reopen();
    expect((await test.call('retrieve', { key: evil })).actor).toBe(evil);
  });

  it('can be cloned while the memory is open', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'notes/a', value: 'hello' });
    await test.memory.flush();
    runGit(test.dataDir, 'clone', '--quiet', 'memory.git', 'clone');
    expect(runGit(`${test.dataDir}/clone`, 'log', '--format=%an %s', '--', 'shared/notes/a.md').trim()).toBe(
      'tester store shared/notes/a',
    );
  });
});
