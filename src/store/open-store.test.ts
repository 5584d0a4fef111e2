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

  it('knows a listing at once and has all on disk when it is closed', async () => {
    const keys = Array.from({ length: 1000 }, (_, n) => `k${n}`);
    {
      await using store = await openStore(dir);
      for (const key of keys) void store.listings.put(key, { key });
      expect(await store.listings.get('k999')).toEqual({ key: 'k999' });
    }
    await using store = await openStore(dir);
    for (const key of keys) expect(await store.listings.get(key)).toEqual({ key });
  });

  it('keeps what is deployed, changed and in quarantine over a restart', async () => {
    {
      await using store = await openStore(dir);
      await store.deployments.put(2, { phase: 2 });
      await store.deployments.put(1, { phase: 1 });
      await store.deployments.put(1, { phase: 1, servers: [] });
      await store.deployments.addReport({ n: 1 });
      await store.deployments.addReport({ n: 2 });
      await store.serverSettings.put(
        new Map([
          ['a', { replicas: 2 }],
          ['b', { lazy: true }],
        ]),
      );
      await store.serverSettings.put(new Map([['b', undefined]]));
      await store.quarantine.put('a', 'odd');
      await store.quarantine.put('a', 'very odd');
      await store.quarantine.put('b', 'odd');
      await store.quarantine.remove('b');
    }
    await using store = await openStore(dir);
    expect(await store.deployments.phases()).toEqual([{ phase: 1, servers: [] }, { phase: 2 }]);
    expect(await store.deployments.reports(1)).toEqual([{ n: 2 }]);
    expect([...(await store.serverSettings.all())]).toEqual([['a', { replicas: 2 }]]);
    expect([...(await store.quarantine.all())]).toEqual([['a', 'very odd']]);
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
