import { describe, expect, it } from 'vitest';
import { specOf } from '../../test/fixtures/spec-of.ts';
import { connectScripted, createScriptedUpstream } from '../../test/fixtures/scripted-upstream.ts';
import type { BulkRequest } from '../contract/rest/bulk-routes.ts';
import { systemClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/log.ts';
import { createPool } from '../pool/pool.ts';
import { createBulk } from './bulk.ts';
import { createQuarantine } from './quarantine.ts';

/** Four servers, of which `broken` does not start; `most` is how many were ever starting at once. */
async function setUp(held = new Map<string, string>(), concurrency = 8) {
  const upstream = createScriptedUpstream('modern', { 'tools/list': () => ({ tools: [] }) });
  const counts = { starting: 0, most: 0 };
  const pool = createPool({
    async connect(spec, events) {
      counts.starting += 1;
      counts.most = Math.max(counts.most, counts.starting);
      await new Promise<void>((resolve) => void setImmediate(resolve));
      counts.starting -= 1;
      if (spec.id === 'broken') throw new Error('no such program');
      return await connectScripted(upstream, events);
    },
    listings: { get: async () => undefined, put: async () => {} },
    clock: systemClock,
    logger: silentLogger,
  });
  const kept = new Map(held);
  const scales = new Map<string, string>();
  const quarantine = createQuarantine(
    pool,
    { put: async (id, reason) => void kept.set(id, reason), remove: async (id) => void kept.delete(id) },
    held,
  );
  const bulk = createBulk({
    pool,
    remove: (id) => pool.remove(id),
    configure: async (instances) =>
      instances.map(({ id }) => ({ id, before: { replicas: 1 }, after: { replicas: 2 } })),
    quarantine,
    scales: {
      put: async (id, { min, max }) => void scales.set(id, `${min}-${max}`),
      remove: async (id) => void scales.delete(id),
    },
    concurrency,
  });
  await pool.add(specOf('db-1', { category: 'database', tags: ['blue'], port: 3100 }));
  await pool.add(specOf('db-2', { category: 'database', port: 3101 }));
  await pool.add(specOf('lazy', { lazy: true, port: 4111 }));
  await pool.add(specOf('broken', { port: 4112 }));
  const run = (request: Partial<BulkRequest>) => bulk({ operation: 'start', ...request });
  const outcomes = async (request: Partial<BulkRequest>) =>
    Object.fromEntries((await run(request)).map(({ id, outcome }) => [id, outcome]));
  return { pool, counts, kept, scales, run, outcomes };
}

describe('a bulk operation', () => {
  it('says for each server what came of it', async () => {
    const { pool, run, outcomes } = await setUp();
    await using _ = pool;
    expect(await run({ select: 'id=*' })).toMatchObject([
      { id: 'db-1', outcome: 'done', state: 'ready' },
      { id: 'db-2', outcome: 'done', state: 'ready' },
      { id: 'lazy', outcome: 'done', state: 'ready' },
      { id: 'broken', outcome: 'failed', code: 'UPSTREAM_UNAVAILABLE' },
    ]);
    expect(await outcomes({ ids: ['db-1', '3101', 'db-1'] })).toEqual({
      'db-1': 'unchanged',
      'db-2': 'unchanged',
    });
    expect(await run({ operation: 'stop', select: 'tag=blue' })).toMatchObject([
      { id: 'db-1', outcome: 'done', state: 'stopped' },
    ]);
    expect(await outcomes({ operation: 'stop', select: 'category=database' })).toEqual({
      'db-1': 'unchanged',
      'db-2': 'done',
    });
  });

  it('goes on with the others when one is not there', async () => {
    const { pool, run } = await setUp();
    await using _ = pool;
    expect(await run({ ids: ['nowhere', 'db-1'] })).toMatchObject([
      { id: 'db-1', outcome: 'done' },
      { id: 'nowhere', outcome: 'failed', code: 'NOT_FOUND' },
    ]);
  });

  it('refuses a selector that chooses nothing', async () => {
    const { pool, run } = await setUp();
    await using _ = pool;
    await expect(run({ select: 'state=ready' })).rejects.toThrow(
      'server that matches not found: state=ready',
    );
  });

  it('does nothing in a dry run', async () => {
    const { pool, outcomes, counts } = await setUp();
    await using _ = pool;
    expect(await outcomes({ select: 'category=database', dryRun: true })).toEqual({
      'db-1': 'planned',
      'db-2': 'planned',
    });
    expect(counts.most).toBe(0);
  });

  it('does so many at a time', async () => {
    const { pool, run, counts } = await setUp(new Map(), 2);
    await using _ = pool;
    await run({ select: 'id=*' });
    expect(counts.most).toBe(2);
  });

  it('scales by hand, and back', async () => {
    const { pool, run, scales } = await setUp();
    await using _ = pool;
    const two = { operation: 'scale', select: 'tag=blue', replicas: 2 } as const;
    const [before, after] = [
      { min: 1, max: 1 },
      { min: 2, max: 2 },
    ];
    expect(await run({ ...two, dryRun: true })).toMatchObject([{ outcome: 'planned', before, after }]);
    expect(await run(two)).toMatchObject([{ id: 'db-1', outcome: 'done', before, after }]);
    expect(await run(two)).toMatchObject([{ outcome: 'unchanged' }]);
    expect([...scales]).toEqual([['db-1', '2-2']]);
    expect(pool.get('db-1')?.members).toHaveLength(2);
    expect(await run({ operation: 'scale', ids: ['db-1'], min: 3, max: 2 })).toMatchObject([
      { outcome: 'failed', code: 'INVALID_INPUT' },
    ]);
    expect(await run({ operation: 'scale', ids: ['db-1'], reset: true })).toMatchObject([{ after: before }]);
    expect([...scales]).toEqual([]);
  });
});

describe('quarantine', () => {
  it('holds a server whatever asks for it, until it is released', async () => {
    const { pool, run, kept } = await setUp();
    await using _ = pool;
    await run({ ids: ['db-1'] });
    await run({ operation: 'quarantine', ids: ['db-1'], reason: 'asks for passwords' });
    const instance = pool.get('db-1')!;
    expect(instance).toMatchObject({ state: 'quarantined', reason: 'asks for passwords', fitness: 'out' });
    await expect(instance.acquire()).rejects.toThrow('servers release db-1');
    for (const operation of ['start', 'restart'] as const)
      expect(await run({ operation, ids: ['db-1'] })).toMatchObject([{ outcome: 'failed' }]);
    expect([...kept]).toEqual([['db-1', 'asks for passwords']]);
    expect(await run({ operation: 'release', ids: ['db-1'] })).toMatchObject([
      { outcome: 'done', state: 'ready' },
    ]);
    expect(await run({ operation: 'release', ids: ['db-1'] })).toMatchObject([{ outcome: 'unchanged' }]);
    expect(kept.size).toBe(0);
  });

  it('holds a server from before the start, when it comes again and when it is replaced', async () => {
    const { pool, run } = await setUp(new Map([['db-2', 'odd']]));
    await using _ = pool;
    expect(await pool.startAll(4)).toMatchObject([{ id: 'broken' }]);
    expect(pool.get('db-2')).toMatchObject({ state: 'quarantined', isHeld: true });
    await pool.replace(specOf('db-2', { category: 'database', port: 3101, title: 'New' }), 0);
    expect(pool.get('db-2')).toMatchObject({ state: 'quarantined', reason: 'odd', isHeld: true });
    await pool.remove('db-2');
    await pool.add(specOf('db-2', { category: 'database', port: 3101 }));
    expect(pool.get('db-2')).toMatchObject({ state: 'quarantined', isHeld: true });
    await run({ operation: 'release', ids: ['db-2'] });
    expect(pool.get('db-2')).toMatchObject({ state: 'ready', isHeld: false });
  });

  it('lets a lazy one sleep when it is released', async () => {
    const { pool, run } = await setUp(new Map([['lazy', 'odd']]));
    await using _ = pool;
    expect(await run({ operation: 'release', ids: ['lazy'] })).toMatchObject([{ state: 'sleeping' }]);
  });
});
