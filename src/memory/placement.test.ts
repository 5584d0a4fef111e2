import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TestMemory, openTestMemory } from '../../test/fixtures/memory-in-temp.ts';
import { addFanOut, fanOutLevels, removeFanOut } from './files/fan-out.ts';
import { identifyFile, keyPath, normalizeKey } from './files/key-path.ts';

const pathsIn = (test: TestMemory): string[] =>
  test.git('ls-tree', '-r', '--name-only', 'main').split('\n').filter(Boolean);

describe('fan-out', () => {
  it('names the same memory as the plain path, and no other', () => {
    const key = fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
      .filter((text) => !/[/\0]|^\.{1,2}$/.test(text));
    fc.assert(
      fc.property(key, fc.constantFrom(0, 2, 3, 4), (raw, levels) => {
        const name = normalizeKey(`a/${raw}`);
        const plain = keyPath('shared', name, 'text');
        const path = addFanOut(plain, name, levels);
        expect(removeFanOut(path).path).toBe(plain);
        expect(identifyFile(path, name)).toEqual({
          scope: 'shared',
          key: name,
          kind: 'text',
          canonical: true,
        });
      }),
    );
    expect(keyPath('shared', '+a/+b/c', 'text')).toBe('shared/%2ba/%2bb/c.md');
    expect(identifyFile('shared/+0/+0/c.md')).toMatchObject({ key: 'c', canonical: false });
  });

  it('goes deeper with the folder', () => {
    expect([0, 255, 256, 20_000, 1_000_000].map(fanOutLevels)).toEqual([0, 0, 2, 3, 4]);
  });
});

describe('a folder that grows big', () => {
  it('keeps every file where it is, and every answer as it was', async () => {
    await using test = await openTestMemory();
    const keys = Array.from({ length: 300 }, (_, i) => `many/k${i}`);
    const entries = keys.map((key, i) => ({ key, value: { i, text: 'first' } }));
    await test.call('store_many', { entries: entries.slice(0, 256) });
    await test.call('list', {});
    await test.call('store_many', { entries: entries.slice(256) });
    await test.call('store', { key: 'few/one', value: 1 });
    await test.memory.flush();
    const before = pathsIn(test);
    const deep = before.filter((path) => path.includes('/+'));
    expect(deep).toHaveLength(44);
    expect(before).toContain('shared/few/one.json');

    // The index is made anew: only Git knows the paths.
    await test.close();
    for (const name of readdirSync(test.dataDir)) {
      if (name.startsWith('index.sqlite')) await rm(join(test.dataDir, name));
    }
    await test.reopen();
    await test.call('store', { key: 'many/k299', value: 'now text' });
    await test.call('store', { key: 'many/k3', value: { i: 3, text: 'second' } });
    await test.call('delete', { key: 'many/k298' });
    await test.memory.flush();
    const [old = ''] = deep.filter((path) => identifyFile(path)?.key === 'many/k299');
    const after = pathsIn(test);
    expect(after).toContain(old.replace(/json$/, 'md'));
    expect(after).not.toContain(old);
    expect(after).toHaveLength(before.length - 1);
    const { versions } = await test.call('history', { key: 'many/k299' });
    expect(versions).toHaveLength(2);
    const first = await test.call('retrieve', { key: 'many/k299', at: versions[1]?.commit ?? '' });
    expect(first.value).toEqual({ i: 299, text: 'first' });

    // What comes back goes where it was.
    await test.call('store', { key: 'many/k298', value: { i: 298, text: 'again' } });
    await test.memory.flush();
    expect(pathsIn(test).toSorted()).toEqual(
      before.map((path) => (path === old ? old.replace(/json$/, 'md') : path)).toSorted(),
    );
    const { items } = await test.call('list', { prefix: 'many/', limit: 1000 });
    expect(items).toHaveLength(300);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
  });

  it('is not big because its keys come and go', async () => {
    await using test = await openTestMemory();
    for (let i = 0; i < 300; i++) {
      await test.call('store', { key: `few/k${i % 3}`, value: i });
      await test.call('delete', { key: `few/k${i % 3}` });
    }
    await test.call('store', { key: 'few/k0', value: 'stays' });
    await test.call('store', { key: 'few/new', value: 'stays' });
    await test.memory.flush();
    expect(pathsIn(test)).toEqual(['shared/few/k0.md', 'shared/few/new.md']);
  });
});
