import { describe, expect, it, vi } from 'vitest';
import { openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../../kernel/clock.ts';

const failing = (code: string) => expect.objectContaining({ code });

describe('versions', () => {
  it('lists, reads, compares and restores', async () => {
    const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));
    await using test = await openTestMemory({ clock });
    const write = async (value: unknown) => {
      clock.advance(3_600_000);
      return test.call('store', { key: 'k', value });
    };
    const [one, two] = [await write({ a: 1, b: 1 }), await write({ a: 2, b: 1 })];
    clock.advance(3_600_000);
    await test.call('delete', { key: 'k' });
    await expect(test.call('retrieve', { key: 'k' })).rejects.toThrowError(failing('MEMORY_NOT_FOUND'));
    const { versions } = await test.call('history', { key: 'k' });
    expect(versions).toMatchObject([
      { op: 'delete', etag: null, at: '2026-01-01T03:00:00.000Z' },
      { op: 'store', etag: two.etag, at: '2026-01-01T02:00:00.000Z' },
      { op: 'store', etag: one.etag, at: '2026-01-01T01:00:00.000Z' },
    ]);
    const [, second, first] = versions.map((version) => version.commit ?? '');
    for (const at of [
      first ?? '',
      (first ?? '').slice(0, 8),
      '2026-01-01T01:00:00Z',
      '2026-01-01T01:59:59.999Z',
    ]) {
      expect(await test.call('retrieve', { key: 'k', at })).toMatchObject({
        value: { a: 1, b: 1 },
        commit: first,
      });
    }
    await expect(test.call('retrieve', { key: 'k', at: '2026-01-02' })).rejects.toThrowError(
      failing('MEMORY_VERSION_NOT_FOUND'),
    );
    await expect(test.call('retrieve', { key: 'k', at: '2025-12-31' })).rejects.toThrowError(
      failing('MEMORY_VERSION_NOT_FOUND'),
    );
    await expect(test.call('retrieve', { key: 'k', at: 'f'.repeat(40) })).rejects.toThrowError(
      failing('MEMORY_VERSION_NOT_FOUND'),
    );
    await expect(test.call('retrieve', { key: 'k', at: 'HEAD~1' })).rejects.toThrowError(
      failing('INVALID_INPUT'),
    );
    expect(await test.call('diff', { key: 'k', from: first ?? '', to: second ?? '' })).toMatchObject({
      kind: 'json',
      changes: [{ op: 'replace', path: '/a', before: 1, after: 2 }],
    });
    expect(await test.call('restore', { key: 'k', to: first ?? '' })).toMatchObject({
      etag: one.etag,
      restoredFrom: first,
    });
    expect((await test.call('retrieve', { key: 'k' })).value).toEqual({ a: 1, b: 1 });
    expect((await test.call('history', { key: 'k' })).versions[0]).toMatchObject({ op: 'restore' });
  });

  it('takes the last of several writes in the second that a date names', async () => {
    const clock = createFakeClock(Date.parse('2026-01-01T00:00:00.100Z'));
    await using test = await openTestMemory({ clock });
    for (let i = 0; i < 3; i++) {
      await test.call('store', { key: 'k', value: i });
      clock.advance(100);
    }
    expect((await test.call('retrieve', { key: 'k', at: '2026-01-01T00:00:00Z' })).value).toBe(2);
    expect((await test.call('retrieve', { key: 'k', at: '2026-01-01T00:00:00.250Z' })).value).toBe(1);
  });

  it('compares text by line, and pages the history', async () => {
    await using test = await openTestMemory();
    for (let i = 0; i < 5; i++) await test.call('store', { key: 'k', value: `same\nline ${i}\n` });
    const first = await test.call('history', { key: 'k', limit: 2 });
    const rest = await test.call('history', { key: 'k', cursor: first.nextCursor });
    expect([...first.versions, ...rest.versions]).toHaveLength(5);
    expect(rest.nextCursor).toBeUndefined();
    const from = rest.versions.at(-1)?.commit ?? '';
    const diff = await test.call('diff', { key: 'k', from });
    expect(diff.patch).toBe('--- a/k\n+++ b/k\n@@ -1,2 +1,2 @@\n same\n-line 0\n+line 4\n');
    await expect(test.call('history', { key: 'other' })).rejects.toThrowError(failing('MEMORY_NOT_FOUND'));
    await expect(test.call('history', { key: 'k', cursor: 'bad' })).rejects.toThrowError(
      failing('INVALID_INPUT'),
    );
  });
});

describe('list and expiry', () => {
  it('lists by prefix and tags, a page at a time', async () => {
    await using test = await openTestMemory();
    const keys = ['a', 'a/1', 'a/2', 'a%', 'b', 'ก/1'];
    for (const key of keys)
      await test.call('store', { key, value: 1, tags: key.startsWith('a/') ? ['x', 'y'] : ['x'] });
    const list = async (input: Parameters<typeof test.call<'list'>>[1]) =>
      (await test.call('list', input)).items.map((item) => item.key);
    expect(await list({})).toEqual(['a', 'a%', 'a/1', 'a/2', 'b', 'ก/1']);
    expect(await list({ prefix: 'a/' })).toEqual(['a/1', 'a/2']);
    expect(await list({ prefix: 'ก' })).toEqual(['ก/1']);
    expect(await list({ tags: ['x', 'y'] })).toEqual(['a/1', 'a/2']);
    expect(await list({ tags: ['none'] })).toEqual([]);
    const page = await test.call('list', { limit: 4 });
    expect(await list({ limit: 4, cursor: page.nextCursor })).toEqual(['b', 'ก/1']);
  });

  it('forgets what has expired, and commits that', async () => {
    const clock = createFakeClock(1_800_000_000_000);
    await using test = await openTestMemory({ clock });
    await test.call('store', { key: 'k', value: 'short lived', ttlSeconds: 60 });
    await test.call('store', { key: 'stays', value: 'long lived' });
    clock.advance(60_000);
    await expect(test.call('retrieve', { key: 'k' })).rejects.toThrowError(failing('MEMORY_NOT_FOUND'));
    expect((await test.call('list', {})).items.map((item) => item.key)).toEqual(['stays']);
    expect((await test.call('search', { query: 'lived' })).hits.map((hit) => hit.key)).toEqual(['stays']);
    expect((await test.call('stats', {})).keys).toBe(1);
    await test.call('store', { key: 'k2', value: 1, ifMatch: 'absent' });
    clock.advance(60_000);
    await test.memory.flush();
    const { versions } = await test.call('history', { key: 'k' });
    expect(versions.map((version) => version.op)).toEqual(['delete', 'store']);
    const restored = await test.call('restore', { key: 'k', to: versions[1]?.commit ?? '' });
    expect(await test.call('retrieve', { key: 'k' })).toMatchObject({
      value: 'short lived',
      etag: restored.etag,
    });
  });

  it('tells of every change', async () => {
    await using test = await openTestMemory();
    const seen: string[] = [];
    const stop = test.memory.onChange((change) => seen.push(`${change.op} ${change.key} ${change.actor}`));
    await test.call('store', { key: 'k', value: 1 }, 'ann');
    await test.call('delete', { key: 'k' }, 'bob');
    await test.call('delete', { key: 'k' }, 'bob');
    // Who hears of a change can read it: that is a moment after its writer knows.
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    stop();
    await test.call('store', { key: 'k', value: 2 });
    expect(seen).toEqual(['store k ann', 'delete k bob']);
  });
});
