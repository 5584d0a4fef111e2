import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestMemory } from '../../test/fixtures/memory-in-temp.ts';
import { realDisk } from './journal/journal.ts';
import { appendTo, incrementIn } from './operations/value-changes.ts';

const failing = (code: string) => expect.objectContaining({ code });
const keysOf = (items: readonly { key: string }[]) => items.map(({ key }) => key);

describe('store_many', () => {
  it('writes all entries in one commit, each with its version', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'ก', value: 'เดิม' });
    const entries = [
      { key: 'a', value: { n: 1 }, tags: ['x'] },
      { key: 'ก', value: 'ใหม่' },
      ...Array.from({ length: 300 }, (_, i) => ({ key: `many/${i}`, value: i })),
    ];
    const done = await test.call('store_many', { entries });
    expect(keysOf(done.entries)).toEqual(keysOf(entries));
    await test.memory.flush();
    expect((await test.call('stats', {})).commits).toBe(2);
    const { versions } = await test.call('history', { key: 'ก' });
    expect(versions).toMatchObject([{ etag: done.entries[1]?.etag, op: 'store' }, { op: 'store' }]);
    expect((await test.call('history', { key: 'many/299' })).versions[0]?.commit).toBe(versions[0]?.commit);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
    // Built again from Git alone.
    const before = await test.call('history', { key: 'many/7' });
    await test.close();
    await rm(join(test.dataDir, 'index.sqlite'), { force: true });
    await test.reopen();
    expect(await test.call('history', { key: 'many/7' })).toEqual(before);
  });

  it('refuses all for one mismatch, one bad entry or a key given twice', async () => {
    await using test = await openTestMemory();
    const { etag } = await test.call('store', { key: 'b', value: 1 });
    const store = (...entries: { key: string; value: unknown; ifMatch?: string }[]) =>
      test.call('store_many', { entries });
    const [a, b] = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
    ];
    await expect(store(a, { ...b, ifMatch: 'absent' })).rejects.toThrowError(failing('MEMORY_CHANGED'));
    await expect(store(a, { key: '../x', value: 1 })).rejects.toThrowError(failing('INVALID_INPUT'));
    await expect(store(a, { key: 'é', value: 1 }, { key: 'e\u0301', value: 2 })).rejects.toThrowError(
      failing('INVALID_INPUT'),
    );
    await expect(store()).rejects.toThrowError(failing('INVALID_INPUT'));
    const big = 'x'.repeat(7 * 1024 * 1024);
    const five = Array.from({ length: 5 }, (_, i) => ({ key: `big/${i}`, value: big }));
    await expect(store(a, ...five)).rejects.toThrowError(failing('PAYLOAD_TOO_LARGE'));
    expect(keysOf((await test.call('list', {})).items)).toEqual(['b']);
    await store({ ...a, ifMatch: 'absent' }, { ...b, ifMatch: etag });
    expect(keysOf((await test.call('list', {})).items)).toEqual(['a', 'b']);
    expect((await test.call('retrieve', { key: 'b' })).value).toBe(2);
  });

  it('lets one of many overlapping batches win, whole', async () => {
    await using test = await openTestMemory();
    const batches = Array.from({ length: 30 }, (_, i) =>
      test.call('store_many', {
        entries: [
          { key: `own/${i}`, value: i },
          { key: 'shared', value: i, ifMatch: 'absent' },
        ],
      }),
    );
    const results = await Promise.allSettled(batches);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(keysOf((await test.call('list', {})).items)).toHaveLength(2);
  });

  it('is replayed as a whole or not at all, wherever the journal was cut', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
    await test.call('store', { key: 'before', value: 1 });
    const folder = join(test.dataDir, 'journal');
    const [name = ''] = (await readdir(folder)).filter((file) => file.endsWith('.journal'));
    const start = (await readFile(join(folder, name))).length;
    const entries = Array.from({ length: 5 }, (_, i) => ({ key: `k/${i}`, value: { i } }));
    await test.call('store_many', { entries });
    const bytes = await readFile(join(folder, name));
    for (const cut of [start + 5, Math.floor((start + bytes.length) / 2), bytes.length - 1, bytes.length]) {
      await test.close();
      // As a crash leaves it: nothing in Git.
      await rm(join(test.dataDir, 'memory.git'), { recursive: true });
      await rm(join(folder, 'landed.json'));
      await rm(join(test.dataDir, 'index.sqlite'), { force: true });
      await writeFile(join(folder, name), bytes.subarray(0, cut));
      await test.reopen();
      const keys = keysOf((await test.call('list', {})).items);
      expect(keys).toEqual(['before', ...(cut === bytes.length ? keysOf(entries) : [])]);
    }
  });

  it('fails as a whole on a full disk, and the next one gets through', async () => {
    let isFull = false;
    await using test = await openTestMemory({
      journalDisk: {
        sync: (handle) => realDisk.sync(handle),
        async write(handle, bytes, position) {
          if (isFull) {
            await handle.write(bytes, 0, Math.floor(bytes.length * 0.7), position);
            throw Object.assign(new Error('full'), { code: 'ENOSPC' });
          }
          await realDisk.write(handle, bytes, position);
        },
      },
    });
    const entries = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
    ];
    isFull = true;
    await expect(test.call('store_many', { entries })).rejects.toThrowError(failing('DISK_FULL'));
    expect((await test.call('list', {})).items).toEqual([]);
    isFull = false;
    await test.call('store_many', { entries });
    await test.reopen();
    expect((await test.call('list', {})).items).toHaveLength(2);
  });
});

describe('append and increment', () => {
  it('loses none of 200 concurrent increments, and each sees another number', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'n', value: { visits: 5, kept: true }, tags: ['t'] });
    const done = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        test.call('increment', { key: 'n', pointer: '/visits' }, `w${i % 3}`),
      ),
    );
    const bySeq = done.toSorted((a, b) => a.seq - b.seq).map(({ value }) => value);
    expect(bySeq).toEqual(Array.from({ length: 200 }, (_, i) => i + 6));
    expect(await test.call('retrieve', { key: 'n' })).toMatchObject({
      value: { visits: 205, kept: true },
      tags: ['t'],
    });
    const { versions } = await test.call('history', { key: 'n', limit: 1000 });
    expect(versions).toHaveLength(201);
    expect(versions[0]).toMatchObject({ op: 'increment' });
  });

  it('loses no concurrent line, paragraph or item', async () => {
    await using test = await openTestMemory();
    const lines = Array.from({ length: 40 }, (_, i) => `บรรทัด ${i}`);
    await Promise.all(lines.map((text) => test.call('append', { key: 'log', text })));
    const log = (await test.call('retrieve', { key: 'log' })).value;
    expect(String(log).split('\n').toSorted()).toEqual(lines.toSorted());
    await test.call('append', { key: 'log', text: 'end', paragraph: true });
    expect((await test.call('retrieve', { key: 'log' })).value).toBe(`${String(log)}\n\nend`);
    const adds = Array.from({ length: 40 }, (_, i) => test.call('append', { key: 'list', items: [i, [i]] }));
    await Promise.all(adds);
    expect((await test.call('retrieve', { key: 'list' })).value).toHaveLength(80);
    await expect(test.call('append', { key: 'list', text: 'x' })).rejects.toThrowError(
      failing('INVALID_INPUT'),
    );
    await expect(test.call('append', { key: 'log', items: [1] })).rejects.toThrowError(
      failing('INVALID_INPUT'),
    );
    await expect(test.call('append', { key: 'log' })).rejects.toThrowError(failing('INVALID_INPUT'));
    await test.reopen();
    expect((await test.call('history', { key: 'list' })).versions[0]).toMatchObject({ op: 'append' });
  });

  it('goes to fields of any name, and only to numbers', () => {
    const of = (value: unknown, pointer: string, by?: number) =>
      incrementIn({ tags: [], value }, { key: 'k', pointer, by });
    expect(incrementIn(undefined, { key: 'k' })).toMatchObject({ value: 1, file: { value: 1 } });
    expect(incrementIn(undefined, { key: 'k', pointer: '/a/b', by: -2 }).file.value).toEqual({
      a: { b: -2 },
    });
    expect(of([1, { 'x/~': 2 }], '/1/x~1~0', 0.5).file.value).toEqual([1, { 'x/~': 2.5 }]);
    const odd = of({}, '/__proto__/x').file.value;
    expect(JSON.stringify(odd)).toBe('{"__proto__":{"x":1}}');
    expect(Object.getPrototypeOf(odd)).toBe(Object.prototype);
    for (const [value, pointer, by] of [
      ['text', '', 1],
      [[1], '/1', 1],
      [[1], '/-', 1],
      [{ a: null }, '/a', 1],
      [{ a: 'x' }, '/a/b', 1],
      [Number.MAX_SAFE_INTEGER, '', 1],
      [1e308, '', 1e308],
    ] as const) {
      expect(() => of(value, pointer, by)).toThrowError(failing('INVALID_INPUT'));
    }
  });

  it('keeps every appended text whole', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.boolean(), (before, text, paragraph) => {
        const file = appendTo({ tags: ['t'], value: before }, { key: 'k', text, paragraph });
        const value = String(file.value);
        expect(file.tags).toEqual(['t']);
        expect(value.startsWith(before) && value.endsWith(text)).toBe(true);
        expect(value.slice(before.length, value.length - text.length)).toMatch(/^\n{0,2}$/);
      }),
    );
  });
});
