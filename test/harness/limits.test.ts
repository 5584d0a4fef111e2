/** Real child processes that use more than they may. */

import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/kernel/log.ts';
import type { ProcessLimits } from '../../src/kernel/process-limits.ts';
import { defaultHealth } from '../../src/kernel/pool-options.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { eventually } from '../e2e/eventually.ts';
import { openRealPool, type RealPool } from '../fixtures/real-pool.ts';
import { specOf } from '../fixtures/spec-of.ts';
import { whenGone } from '../e2e/processes.ts';

const serverPath = fileURLToPath(new URL('../fixtures/session-server.ts', import.meta.url));

let real: RealPool;
let pool: Pool;
let warnings: Record<string, unknown>[];

beforeEach(async () => {
  warnings = [];
  const logger = { ...silentLogger, warn: (data: Record<string, unknown>) => void warnings.push(data) };
  real = await openRealPool({
    logger,
    health: { ...defaultHealth, checkIntervalMs: 0 },
    watchIntervalMs: 100,
  });
  ({ pool } = real);
});

afterEach(() => real[Symbol.asyncDispose]());

async function start(limits: ProcessLimits, args: readonly string[] = [serverPath], lazy = false) {
  const launch = { kind: 'stdio', command: process.execPath, args, env: {}, era: 'legacy', limits } as const;
  const instance = await pool.add(specOf('one', { lazy, launch }));
  const call = async (name: string, more: object = {}): Promise<string> => {
    const result = await instance.request('tools/call', { name, arguments: more });
    return (result['content'] as { text: string }[])[0]!.text;
  };
  /** Has it eat, which it may not live to answer; resolves with its process id when it is gone. */
  const overeat = async (mb: number): Promise<number> => {
    const pid = Number(await call('pid'));
    await Promise.all([call('eat', { mb }).catch(() => {}), whenGone([pid])]);
    return pid;
  };
  return { instance, call, overeat };
}

describe('limits.memoryMb', () => {
  it('ends a server that uses more, and starts it again with the reason shown', async () => {
    const { instance, call, overeat } = await start({ memoryMb: 250 });
    await instance.start();
    const pid = await overeat(300);
    const fresh = await eventually('another process', () =>
      instance.pid !== undefined && instance.pid !== pid ? instance.pid : undefined,
    );
    expect(Number(await call('pid'))).toBe(fresh);
    const reason = expect.stringMatching(/uses? \d+ MiB of memory; limits\.memoryMb is 250/);
    expect(instance.members[0]!.replica.lastBreak).toMatchObject({ reason });
    expect(warnings).toContainEqual(expect.objectContaining({ server: 'one', pid, problem: reason }));
  }, 60_000);

  it('counts what the processes that it has started use', async () => {
    const { instance, call } = await start({ memoryMb: 250 });
    await instance.start();
    const leader = instance.pid!;
    const child = Number(await call('feed', { mb: 300 }));
    await whenGone([leader, child]);
    await expect.poll(() => instance.members[0]!.replica.lastBreak?.reason).toContain('processes use');
  }, 60_000);

  it('makes a lazy server wait longer each time, and says why meanwhile', async () => {
    const { instance, overeat } = await start({ memoryMb: 200 }, [serverPath], true);
    let refused: unknown;
    for (let n = 0; n < 20 && refused === undefined; n += 1) {
      try {
        await overeat(300);
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      data: { problem: expect.stringContaining('limits.memoryMb is 200') },
    });
    expect(instance.state).toBe('sleeping');
  }, 60_000);
});

describe('limits.openFiles', () => {
  it.runIf(process.platform === 'linux')('is a limit of the operating system', async () => {
    const { call } = await start({ openFiles: 64 });
    expect(await call('open', { files: 20 })).toBe('20');
    expect(await call('open', { files: 100 })).toMatch(/^\d\d? EMFILE$/);
  });

  it.runIf(process.platform === 'linux')(
    'is watched where none can be set',
    async () => {
      const path = process.env['PATH'];
      process.env['PATH'] = '/nowhere';
      try {
        const { instance, call } = await start({ openFiles: 64 });
        await instance.start();
        const pid = instance.pid!;
        expect(await call('open', { files: 100 })).toBe('100');
        await eventually('its end', () => instance.pid !== pid || undefined);
        const { reason } = instance.members[0]!.replica.lastBreak!;
        expect(reason).toMatch(/files open; limits\.openFiles is 64/);
      } finally {
        process.env['PATH'] = path;
      }
    },
    60_000,
  );

  it('leaves it to a program that is not there to say so', async () => {
    const launch = {
      kind: 'stdio',
      command: 'no-such-program-here',
      args: [],
      env: {},
      era: 'auto',
      limits: { openFiles: 64 },
    } as const;
    const instance = await pool.add(specOf('two', { port: 4101, lazy: true, launch }));
    await expect(instance.start()).rejects.toThrow(/no such program on PATH/);
  });
});

describe('limits.startMs', () => {
  it('fails a start that takes longer, with the reason', async () => {
    const silent = ['-e', 'process.stdin.resume()'];
    const { instance } = await start({ startMs: 300 }, silent, true);
    await expect(instance.start()).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      data: { problem: expect.stringMatching(/300 ms/) },
    });
  });
});
