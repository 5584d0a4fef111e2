import { describe, expect, it } from 'vitest';
import { openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../../kernel/clock.ts';

const failing = (code: string) => expect.objectContaining({ code });

describe('snapshots', () => {
  it('name a state that every reader of versions takes', async () => {
    await using test = await openTestMemory();
    const snapshot = (action: 'create' | 'delete', name: string) => test.call('snapshot', { action, name });
    await expect(snapshot('create', 'early')).rejects.toThrowError(failing('INVALID_INPUT'));
    await test.call('store', { key: 'k', value: { word: 'alpha' } });
    const [made] = (await snapshot('create', 'ก่อน-ปล่อย.1')).snapshots;
    expect(made).toMatchObject({ name: 'ก่อน-ปล่อย.1', commit: test.git('rev-parse', 'main').trim() });
    await test.call('store', { key: 'k', value: { word: 'beta' } });
    const at = 'snap:ก่อน-ปล่อย.1';
    expect((await test.call('retrieve', { key: 'k', at })).value).toEqual({ word: 'alpha' });
    expect((await test.call('search', { query: 'alpha', at })).hits).toHaveLength(1);
    expect(await test.call('diff', { key: 'k', from: at })).toMatchObject({
      changes: [{ op: 'replace', path: '/word' }],
    });
    await snapshot('create', 'B');
    expect((await test.call('snapshot', { action: 'list' })).snapshots.map(({ name }) => name)).toEqual([
      'B',
      'ก่อน-ปล่อย.1',
    ]);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
    await test.reopen();
    expect((await test.call('restore', { key: 'k', to: at })).restored).toBe(1);
    expect((await snapshot('delete', 'ก่อน-ปล่อย.1')).snapshots).toEqual([made]);
    await expect(test.call('retrieve', { key: 'k', at })).rejects.toThrowError(
      failing('MEMORY_VERSION_NOT_FOUND'),
    );
    await expect(snapshot('delete', 'gone')).rejects.toThrowError(failing('NOT_FOUND'));
    await expect(snapshot('create', 'b')).rejects.toThrowError(failing('INVALID_INPUT'));
  });

  it('refuses names that Git or a file system would not take', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'k', value: 1 });
    const bad = ['', '../main', 'a/b', '-x', '.x', 'x.', 'a..b', 'a.lock', 'a b', 'a\nb', 'a~1', 'a^', '@{'];
    for (const name of [...bad, 'CON', 'nul.x', 'ก'.repeat(61)]) {
      const create = test.call('snapshot', { action: 'create', name });
      await expect(create).rejects.toThrowError(failing('INVALID_INPUT'));
      const read = test.call('retrieve', { key: 'k', at: `snap:${name}` });
      await expect(read).rejects.toThrowError(failing('INVALID_INPUT'));
    }
  });
});

describe('restore of many', () => {
  it('brings a prefix or everything back, at once, and deletes what was not there', async () => {
    const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));
    await using test = await openTestMemory({ clock });
    await test.call('store', { key: 'p/edited', value: 1 });
    await test.call('store', { key: 'p/gone', value: 'ข้อความ' });
    await test.call('store', { key: 'p/same', value: 1 });
    await test.call('store', { key: 'p/short', value: 1, ttlSeconds: 60 });
    await test.call('store', { key: 'q', value: 1, scope: 'coordinator' });
    await test.call('snapshot', { action: 'create', name: 'good' });
    clock.advance(3_600_000);
    await test.call('store', { key: 'p/edited', value: 2 });
    await test.call('delete', { key: 'p/gone' });
    await test.call('store', { key: 'p/new', value: 3 });
    await test.call('store', { key: 'pq', value: 4 });
    await test.call('store', { key: 'q', value: 'text now', scope: 'coordinator' });
    const done = await test.call('restore', { prefix: 'p/', to: 'snap:good' });
    expect(done).toMatchObject({ scope: 'shared', restored: 2, deleted: 1 });
    const { items } = await test.call('list', {});
    expect(items.map(({ key }) => key)).toEqual(['p/edited', 'p/gone', 'p/same', 'pq']);
    expect((await test.call('retrieve', { key: 'p/gone' })).value).toBe('ข้อความ');
    expect((await test.call('history', { key: 'p/new' })).versions).toMatchObject([
      { op: 'delete' },
      { op: 'store' },
    ]);
    const { versions } = await test.call('history', { key: 'p/edited' });
    expect(versions[0]).toMatchObject({ op: 'restore' });
    const files = test.git('show', '--name-only', '--format=', versions[0]?.commit ?? '').trim();
    expect(files.split('\n')).toEqual(['shared/p/edited.json', 'shared/p/gone.md', 'shared/p/new.json']);
    expect(await test.call('restore', { prefix: 'p/', to: 'snap:good' })).toMatchObject({
      restored: 0,
      deleted: 0,
    });
    const all = await test.call('restore', { all: true, to: '2026-01-01T00:00:00Z' });
    expect(all).toMatchObject({ restored: 1, deleted: 1 });
    expect((await test.call('retrieve', { key: 'q', scope: 'coordinator' })).value).toBe(1);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
  });

  it('wants exactly one of key, prefix and all', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'k', value: 1 });
    for (const what of [{}, { key: 'k', all: true as const }, { prefix: 'a', all: true as const }]) {
      await expect(test.call('restore', { ...what, to: '2026-01-01' })).rejects.toThrowError(
        failing('INVALID_INPUT'),
      );
    }
    await expect(test.call('restore', { all: true, to: 'snap:none' })).rejects.toThrowError(
      failing('MEMORY_VERSION_NOT_FOUND'),
    );
  });
});
