import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'store-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('store', () => {
  it('keeps listings and added servers over a restart', async () => {
    {
      await using store = await openStore(join(dir, 'deep', 'data'));
      await store.listings.put('k', { tools: [{ name: 'ค้นหา' }] });
      await store.listings.put('k', { tools: [] });
      await store.addedServers.put('b', { command: 'x' });
      await store.addedServers.put('a', { url: 'http://x' });
      await store.addedServers.put('a', { url: 'http://y' });
    }
    await using store = await openStore(join(dir, 'deep', 'data'));
    expect(await store.listings.get('k')).toEqual({ tools: [] });
    expect(await store.listings.get('other')).toBeUndefined();
    expect(await store.addedServers.all()).toEqual([
      { name: 'a', entry: { url: 'http://y' } },
      { name: 'b', entry: { command: 'x' } },
    ]);
    await store.addedServers.remove('a');
    await store.addedServers.remove('never there');
    expect(await store.addedServers.all()).toHaveLength(1);
  });

  it('keeps bounds of replicas over a restart', async () => {
    {
      await using store = await openStore(dir);
      await store.scaleBounds.put('a', { min: 1, max: 2 });
      await store.scaleBounds.put('a', { min: 3, max: 4 });
      await store.scaleBounds.put('b', { min: 1, max: 1 });
      await store.scaleBounds.remove('b');
      expect(store.scaleBounds.get('a')).toEqual({ min: 3, max: 4 });
    }
    await using store = await openStore(dir);
    expect([store.scaleBounds.get('a'), store.scaleBounds.get('b')]).toEqual([{ min: 3, max: 4 }, undefined]);
  });

  it('says where a broken file is', async () => {
    await writeFile(
      join(dir, 'state.sqlite'),
      'this is no database, and long enough to be read as one'.repeat(20),
    );
    await expect(openStore(dir)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(dir),
    });
  });
});
