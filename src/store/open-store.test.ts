import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';
import { openTenantStore } from './tenant-store.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'store-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('store', () => {
  it('keeps bounds of replicas at hand, over a restart too', async () => {
    {
      await using store = await openStore(join(dir, 'deep', 'data'));
      const { scaleBounds } = await openTenantStore(store, 'default');
      await scaleBounds.put('a', { min: 1, max: 2 });
      await scaleBounds.put('a', { min: 3, max: 4 });
      await scaleBounds.put('b', { min: 1, max: 1 });
      await scaleBounds.remove('b');
      expect(scaleBounds.get('a')).toEqual({ min: 3, max: 4 });
    }
    await using store = await openStore(join(dir, 'deep', 'data'));
    const { scaleBounds } = await openTenantStore(store, 'default');
    expect([scaleBounds.get('a'), scaleBounds.get('b')]).toEqual([{ min: 3, max: 4 }, undefined]);
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
