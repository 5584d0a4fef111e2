import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import { createSqlProcessPool } from './sql-process-pool.ts';

const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';
const cap = { maxRows: 10, maxBytes: 10_000 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sql-pool-'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const target = () => ({ path: join(folder, 'main.db'), maxDatabaseBytes: 1e9 });
const read = (sql: string) => ({ ...target(), statement: { sql }, cap });
const notAborted = () => new AbortController().signal;
const patient = () => ({ timeoutMs: 60_000, signal: notAborted() });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done(); tries++) {
    if (tries === 1000) throw new Error('nothing changed for 20 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('createSqlProcessPool', () => {
  it('stops an endless statement and goes on with what waited', async () => {
    await using pool = createSqlProcessPool({ size: 1 });
    const stuck = pool.run('query', read(endless), { timeoutMs: 200, signal: notAborted() });
    const waiting = pool.run('query', read('SELECT 1 AS x'), patient());
    await expect(stuck).rejects.toThrow(/stopped after 200 ms .* rolled back/);
    await expect(waiting).resolves.toMatchObject({ rows: [{ x: 1 }] });
  });

  it('rolls back what a stopped write had done', async () => {
    await using pool = createSqlProcessPool({ size: 1 });
    await pool.run('execute', read('CREATE TABLE t (x)'), patient());
    const statements = [{ sql: 'INSERT INTO t VALUES (1)' }, { sql: endless }];
    const stuck = pool.run(
      'transaction',
      { ...target(), statements, cap },
      { timeoutMs: 300, signal: notAborted() },
    );
    await expect(stuck).rejects.toThrow(/rolled back/);
    const left = await pool.run('query', read('SELECT count(*) AS n FROM t'), patient());
    expect(left.rows).toEqual([{ n: 0 }]);
  });

  it('stops when the caller cancels, running or still waiting', async () => {
    await using pool = createSqlProcessPool({ size: 1 });
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = pool.run('query', read(endless), { timeoutMs: 60_000, signal: running.signal });
    const second = pool.run('query', read(endless), { timeoutMs: 60_000, signal: waiting.signal });
    waiting.abort(new Error('second'));
    await expect(second).rejects.toThrow('second');
    running.abort(new Error('first'));
    await expect(first).rejects.toThrow('first');
    await expect(
      pool.run('query', read('SELECT 1'), { timeoutMs: 1, signal: running.signal }),
    ).rejects.toThrow('first');
  });

  it('survives a process that is killed from outside', async () => {
    await using pool = createSqlProcessPool({ size: 1 });
    const running = pool.run('query', read(endless), patient());
    process.kill(pool.pids[0]!, 'SIGKILL');
    await expect(running).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    await expect(pool.run('query', read('SELECT 1 AS x'), patient())).resolves.toMatchObject({
      rows: [{ x: 1 }],
    });
  });

  it('ends idle processes after a while, and all of them on disposal', async () => {
    const clock = createFakeClock();
    const pool = createSqlProcessPool({ size: 2, clock });
    await Promise.all([1, 2].map(() => pool.run('query', read('SELECT 1'), patient())));
    const pids = pool.pids;
    expect(pids).toHaveLength(2);
    clock.advance(30_000);
    await until(() => !pids.some(isAlive));
    expect(pool.pids).toEqual([]);
    const stuck = pool.run('query', read(endless), patient());
    const waiting = [1, 2].map(() => pool.run('query', read('SELECT 1'), patient()));
    const results = Promise.allSettled([stuck, ...waiting]);
    const [pid] = pool.pids;
    await pool[Symbol.asyncDispose]();
    expect((await results).map(({ status }) => status)).toContain('rejected');
    expect(isAlive(pid!)).toBe(false);
  });

  // At once: the process is still starting. Later: it is in the middle of the statement.
  it.each([0, 400])('leaves no process behind when its parent is killed after %i ms', async (delayMs) => {
    const module = new URL('./sql-process-pool.ts', import.meta.url).href;
    const script = `
      const { createSqlProcessPool } = await import(${JSON.stringify(module)});
      const pool = createSqlProcessPool({ size: 1 });
      pool.run('query', ${JSON.stringify(read(endless))}, { timeoutMs: 60000, signal: new AbortController().signal });
      console.log(pool.pids[0]);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    parent.kill('SIGKILL');
    try {
      await until(() => !isAlive(pid));
    } finally {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });
});
