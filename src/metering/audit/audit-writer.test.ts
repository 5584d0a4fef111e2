import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { agent, eventOf, openTestAudit, prepare } from '../../../test/fixtures/audit-store.ts';
import type { CallGuard, GuardedCall } from '../../kernel/call-guard.ts';
import { AppError } from '../../kernel/errors.ts';
import { RpcError } from '../../kernel/json-rpc.ts';
import { silentLogger } from '../../kernel/log.ts';
import { createAuditChange } from './audit-change.ts';
import { createAuditGuard } from './audit-guard.ts';
import { createAuditWriter } from './audit-writer.ts';
import { redactArguments } from './redact-arguments.ts';
import { createRefusalNotes } from './refusal-notes.ts';
import { verifyChain } from './verify-chain.ts';

const nobody = { stored: [], kept: undefined, ownKey: undefined, publicKeys: [] };

/** A log whose disk can be filled. */
async function openFull(onFailure: 'block' | 'allow', maxQueued = 1000) {
  const disk = { isFull: false };
  const test = await openTestAudit();
  const writer = createAuditWriter({
    ...prepare,
    records: {
      append: async (...args) => {
        if (disk.isFull) throw new Error('database or disk is full');
        return await test.store.records.append(...args);
      },
    },
    clock: test.clock,
    logger: silentLogger,
    onFailure,
    maxQueued,
  });
  onTestFinished(async () => {
    await writer[Symbol.asyncDispose]();
    await test[Symbol.asyncDispose]();
  });
  return { ...test, writer, disk };
}

/** Lets what was begun in the background come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

describe('the writer', () => {
  it('writes in batches behind the call, and everything at a stop', async () => {
    await using test = await openTestAudit();
    test.writer.note(eventOf('a'));
    expect(await test.all()).toEqual([]);
    test.clock.advance(50);
    await settle();
    expect(await test.all()).toHaveLength(1);
    for (let n = 0; n < 1234; n += 1) test.writer.note(eventOf(`b${n}`));
    await test.writer[Symbol.asyncDispose]();
    expect(test.writer.figures).toEqual({ written: 1235, lost: 0, queued: 0 });
    const targets = (await test.all()).map(({ target }) => target);
    expect(targets).toEqual(['a', ...Array.from({ length: 1234 }, (_, n) => `b${n}`)]);
  });

  it('keeps one chain a tenant', async () => {
    await using test = await openTestAudit();
    for (const tenant of ['default', 'other', 'default', 'other', 'other'])
      test.writer.note(eventOf('a', { principal: { ...agent, tenant } }));
    await test.writer.flush();
    for (const [tenant, last] of [
      ['default', 2],
      ['other', 3],
    ] as const)
      expect(await verifyChain(test.store.records, tenant, nobody)).toMatchObject({
        healthy: true,
        first: 1,
        last,
      });
  });

  it('refuses while the disk is full, if asked to, and goes on by itself', async () => {
    const { writer, disk, clock, all, store } = await openFull('block');
    disk.isFull = true;
    writer.note(eventOf('a'));
    writer.assertWritable();
    clock.advance(50);
    await settle();
    expect(() => writer.assertWritable()).toThrow(/audit log cannot be written: database or disk is full/);
    disk.isFull = false;
    clock.advance(250);
    await settle();
    expect(() => writer.assertWritable()).not.toThrow();
    await writer.flush();
    expect((await all()).map(({ target }) => target)).toEqual(['a', 'audit']);
    const gap = JSON.parse((await all())[1]!.record) as Record<string, unknown>;
    expect(gap).toMatchObject({ action: 'audit gap', details: { lost: 0, refused: 1 } });
    expect(await verifyChain(store.records, 'default', nobody)).toMatchObject({ healthy: true });
  });

  it('lets calls go on while the disk is full, if asked to, and says what is lost', async () => {
    const { writer, disk, clock, all } = await openFull('allow', 600);
    disk.isFull = true;
    for (let n = 0; n < 1500; n += 1) {
      writer.assertWritable();
      writer.note(eventOf(`${n}`));
      if (n % 100 === 0) await settle();
    }
    clock.advance(10_000);
    await settle();
    expect(writer.figures).toMatchObject({ written: 0, lost: 900, queued: 600 });
    disk.isFull = false;
    clock.advance(10_000);
    await settle();
    await writer.flush();
    const rows = await all();
    expect(rows.slice(0, 600).map(({ target }) => target)).toEqual(
      Array.from({ length: 600 }, (_, n) => `${n}`),
    );
    expect(JSON.parse(rows[600]!.record)).toMatchObject({ action: 'audit gap', details: { lost: 900 } });
  });

  it('counts what it could not write at a stop', async () => {
    const { writer, disk } = await openFull('allow');
    disk.isFull = true;
    writer.note(eventOf('a'));
    await writer[Symbol.asyncDispose]();
    expect(writer.figures).toEqual({ written: 0, lost: 1, queued: 0 });
  });

  it('shares the file with another process without a fork of the chain', async () => {
    await using test = await openTestAudit();
    const written = await Promise.all(
      ['one', 'two'].map((name) => startWriting(test.dataDir, name, '400').ended),
    );
    expect(written).toEqual([0, 0]);
    expect(await verifyChain(test.store.records, 'default', nobody)).toMatchObject({
      healthy: true,
      last: 800,
    });
    const targets = (await test.all()).map(({ target }) => target);
    expect(targets.filter((target) => target === 'one')).toHaveLength(400);
  });

  it('goes on with the chain after it was killed', async () => {
    await using test = await openTestAudit();
    const child = startWriting(test.dataDir, 'killed');
    const told = await child.after(300);
    child.process.kill('SIGKILL');
    await child.ended;
    // What it told of is there; more may be, and none of it is half.
    const killed = await verifyChain(test.store.records, 'default', nobody);
    expect(killed).toMatchObject({ healthy: true, findings: [] });
    expect(killed.last).toBeGreaterThanOrEqual(told);
    test.writer.note(eventOf('next'));
    await test.writer.flush();
    expect(await verifyChain(test.store.records, 'default', nobody)).toMatchObject({
      healthy: true,
      last: killed.last + 1,
    });
  });
});

const childPath = fileURLToPath(new URL('../../../test/fixtures/audit-writing-child.ts', import.meta.url));

function startWriting(...args: string[]) {
  const child = spawn(process.execPath, [childPath, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  return {
    process: child,
    ended: new Promise<number | null>((resolve) => child.once('close', resolve)),
    /** Resolves with the first seq from `least` on that it says it has written. */
    after: (least: number) =>
      new Promise<number>((resolve) => {
        lines.on('line', (line) => Number(line) >= least && resolve(Number(line)));
      }),
  };
}

const call: GuardedCall = {
  principal: agent,
  requestId: 'r1',
  era: 'modern',
  mount: 'all',
  method: 'tools/call',
  server: { id: 'one', category: 'core' },
  name: 'do',
  params: { name: 'do', arguments: { b: 1, a: 2 }, _meta: { progressToken: 1 } },
  signal: new AbortController().signal,
};

async function noted(run: (guard: CallGuard['run']) => Promise<unknown>) {
  await using test = await openTestAudit();
  const guard = createAuditGuard(test.writer, test.clock);
  await run((...args) => guard.run(...args)).catch(() => {});
  await test.writer.flush();
  return (await test.all()).map(({ record }) => JSON.parse(record) as Record<string, unknown>);
}

describe('the guard', () => {
  it.each([
    ['ok', null, async () => ({ content: [] })],
    ['tool-error', null, async () => ({ isError: true })],
    ['refused', 'FORBIDDEN', async () => Promise.reject(new AppError('FORBIDDEN'))],
    ['refused', 'SERVER_BUSY', async () => Promise.reject(new AppError('SERVER_BUSY'))],
    ['error', 'UPSTREAM_TIMEOUT', async () => Promise.reject(new AppError('UPSTREAM_TIMEOUT'))],
    ['error', 'RPC_ERROR', async () => Promise.reject(new RpcError({ code: 1, message: 'no' }))],
    ['error', 'INTERNAL', async () => Promise.reject(new Error('oops'))],
  ])('notes %s %s', async (outcome, code, next) => {
    const [record] = await noted((run) => run(call, next));
    expect(record).toMatchObject({
      outcome,
      code,
      target: 'do',
      server: 'one',
      principal: 'key:1',
      requestId: 'r1',
    });
  });

  it('digests equal arguments to the same, whatever the order of their fields', async () => {
    const next = async () => ({});
    const other = { ...call, params: { name: 'do', arguments: { a: 2, b: 1 }, _meta: { progressToken: 2 } } };
    const [first, second] = await noted(async (run) => {
      await run(call, next);
      await run(other, next);
    });
    expect(first!['digest']).toBe(second!['digest']);
    expect(first!['arguments']).toBeUndefined();
  });

  it('asks nobody for a call that cannot be written down', async () => {
    const { writer, disk, clock } = await openFull('block');
    disk.isFull = true;
    writer.note(eventOf('a'));
    clock.advance(50);
    await settle();
    let isAsked = false;
    const next = async () => {
      isAsked = true;
      return {};
    };
    await expect(createAuditGuard(writer, clock).run(call, next)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
    });
    const change = createAuditChange(writer, clock);
    const facts = { way: 'rest', action: 'POST /x', target: '/x' } as const;
    await expect(change(facts, next)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    expect(isAsked).toBe(false);
    await change({ ...facts, isUrgent: true }, next);
    expect(isAsked).toBe(true);
  });
});

it('is not stopped by arguments that nobody can write down again', async () => {
  await using test = await openTestAudit();
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;
  test.writer.note(eventOf('deep', { arguments: deep }));
  test.writer.note(eventOf('next'));
  await test.writer.flush();
  expect((await test.all()).map(({ record }) => (JSON.parse(record) as { digest: string }).digest)).toEqual([
    'too deep',
    expect.stringMatching(/^sha256:/),
  ]);
});

it('notes many refusals of a kind as one with their number', async () => {
  await using test = await openTestAudit();
  const refusals = createRefusalNotes(test.writer, test.clock);
  const about = { code: 'UNAUTHENTICATED', method: 'GET', path: '/' };
  for (let n = 0; n < 1000; n += 1) refusals.note({ ...about, from: '192.0.2.1' });
  for (let n = 0; n < 1000; n += 1) refusals.note({ ...about, from: `198.51.100.${n}` });
  test.clock.advance(1000);
  refusals[Symbol.dispose]();
  await test.writer.flush();
  const rows = await test.all();
  const times = rows.map(
    ({ record }) => (JSON.parse(record) as { details: { times?: number } }).details.times ?? 1,
  );
  expect(times.reduce((sum, one) => sum + one, 0)).toBe(2000);
  expect(rows.length).toBeLessThan(210);
});

it('keeps no secret of the arguments', () => {
  const key = `gmm_1f2e3d4c5b6a_${'A'.repeat(43)}`;
  const secrets = {
    password: 'p1-secret',
    nested: [{ apiKey: 'p2-secret', 'X-Auth-Token': 'p3-secret' }],
    text: `use ${key}`,
    url: 'postgres://me:p4-secret@db/x',
    header: 'Bearer p5-secret-p5',
    pem: '-----BEGIN PRIVATE KEY-----\np6-secret',
  };
  const kept = JSON.stringify(redactArguments(secrets));
  expect(kept).not.toMatch(/p\d-secret|AAAA/);
  expect(redactArguments({ city: 'กรุงเทพ', n: 1, none: null })).toEqual({ city: 'กรุงเทพ', n: 1, none: null });
  const huge = {
    list: Array.from({ length: 10_000 }, () => 'x'.repeat(1000)),
    deep: JSON.parse('['.repeat(200) + ']'.repeat(200)) as unknown,
  };
  expect(JSON.stringify(redactArguments(huge)).length).toBeLessThan(200_000);
});
