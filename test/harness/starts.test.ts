/**
 * A stdio server started and stopped again and again: nothing of it is left, and the coordinator's process does not grow.
 * `STARTS=10000 npx vitest run test/harness/starts.test.ts` does it ten thousand times and prints what it saw.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { descendantsOf } from '../e2e/processes.ts';
import { openRealPool } from '../fixtures/real-pool.ts';
import { specOf } from '../fixtures/spec-of.ts';

const serverPath = fileURLToPath(new URL('../fixtures/bare-server.cjs', import.meta.url));
const starts = Number(process.env['STARTS'] ?? 200);
/** Servers that start and stop beside each other. */
const width = 16;
/** What the first ones leave for good, compiled code and pools of sockets, is no growth. */
const warmUp = 50;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Seen {
  readonly starts: number;
  /** Zombies included, and the `ps` that counts them. */
  readonly children: number;
  /** Undefined where the operating system does not tell. */
  readonly files: number | undefined;
  readonly heapMb: number;
  readonly residentMb: number;
}

async function look(done: number): Promise<Seen> {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  const mb = (bytes: number) => Math.round((bytes / 1024 / 1024) * 10) / 10;
  const files = await readdir('/proc/self/fd').catch(() => undefined);
  const children = await descendantsOf(process.pid);
  return {
    starts: done,
    children: children.length,
    files: files?.length,
    heapMb: mb(heapUsed),
    residentMb: mb(rss),
  };
}

it(
  `${starts} starts and stops leave no process, no open file and no growth`,
  async () => {
    await using real = await openRealPool();
    const { pool, folder, ledger } = real;
    let done = 0;

    async function startAndStop(slot: number, goal: number): Promise<void> {
      const id = `server-${slot}`;
      const instance =
        pool.get(id) ??
        (await pool.add(
          specOf(id, {
            port: 4100 + slot,
            lazy: true,
            launch: { kind: 'stdio', command: process.execPath, args: [serverPath], env: {}, era: 'legacy' },
          }),
        ));
      while (done < goal) {
        done += 1;
        await instance.start();
        expect(await instance.request('ping')).toEqual({});
        await instance.stop();
      }
    }

    const run = (goal: number) =>
      Promise.all(Array.from({ length: width }, (_, slot) => startAndStop(slot, goal)));

    await run(Math.min(warmUp, starts));
    const before = await look(done);
    const seen = [before];
    for (let part = 1; part <= 10; part += 1) {
      await run(Math.round(warmUp + ((starts - warmUp) * part) / 10));
      seen.push(await look(done));
      if (process.env['STARTS'] !== undefined) console.log(JSON.stringify(seen.at(-1)));
    }
    const after = seen.at(-1)!;
    expect(after.starts).toBeGreaterThanOrEqual(starts);
    expect(after.children).toBe(before.children);
    if (before.files !== undefined) expect(after.files).toBeLessThanOrEqual(before.files);
    expect(await readdir(join(folder, 'processes', ledger.id))).toEqual(['owner.json']);
    // 100 bytes for each start would be a leak; what a heap does by itself in between is more.
    expect(after.heapMb - before.heapMb).toBeLessThan(10);
  },
  Math.max(120_000, starts * 1000),
);
