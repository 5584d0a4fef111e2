import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProcess } from './child/process-table.ts';
import { createProcessLedger } from './process-ledger.ts';

const parentFixture = fileURLToPath(new URL('../../test/fixtures/upstream-parent.ts', import.meta.url));
let dir: string;
let started: number[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ledger-'));
});

afterEach(async () => {
  for (const pid of started.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || readProcess(pid)?.state !== 'Z';
}

/** Starts a coordinator with a server and its descendants; answers with the pids in that order. */
async function startCoordinator(): Promise<[number, number, number, number]> {
  const child = spawn(process.execPath, [parentFixture, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const pids = JSON.parse(line) as [number, number, number, number];
  started = pids;
  return pids;
}

async function killHard(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A process of someone else, in a group of its own. */
function startStranger(): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(()=>{},1000)'], {
    stdio: 'ignore',
    detached: true,
  });
  child.unref();
  started.push(child.pid!);
  return child.pid!;
}

describe.skipIf(process.platform === 'win32')('createProcessLedger', () => {
  it('ends what a coordinator left behind that was killed', async () => {
    const [coordinator, server, inGroup, escaped] = await startCoordinator();
    await killHard(coordinator);
    expect([server, inGroup, escaped].map(isAlive)).toEqual([true, true, true]);
    await using ledger = createProcessLedger(dir);
    expect(await ledger.reapOrphans()).toBeGreaterThan(0);
    expect([server, inGroup].map(isAlive)).toEqual([false, false]);
    if (process.platform === 'linux') expect(isAlive(escaped)).toBe(false);
    expect(await readdir(dir)).toEqual([ledger.id]);
    expect(await ledger.reapOrphans()).toBe(0);
  });

  it.runIf(process.platform === 'linux')('ends descendants whose leader is already dead', async () => {
    const [coordinator, server, inGroup, escaped] = await startCoordinator();
    await killHard(coordinator);
    await killHard(server);
    expect([inGroup, escaped].map(isAlive)).toEqual([true, true]);
    await using ledger = createProcessLedger(dir);
    expect(await ledger.reapOrphans()).toBe(2);
    expect([inGroup, escaped].map(isAlive)).toEqual([false, false]);
  });

  it('leaves the children of a coordinator alone that lives', async () => {
    const [coordinator, server] = await startCoordinator();
    await using ledger = createProcessLedger(dir);
    expect(await ledger.reapOrphans()).toBe(0);
    expect([coordinator, server].map(isAlive)).toEqual([true, true]);
  });

  it('leaves a process alone that got the number of a dead child', async () => {
    const stranger = startStranger();
    const dead = join(dir, crypto.randomUUID());
    await mkdir(dead);
    const longAgo = { start: '00000000-0000-0000-0000-000000000000/1', atMs: 0 };
    await writeFile(join(dead, 'owner.json'), JSON.stringify({ pid: 2 ** 22 + 1, ...longAgo }));
    await writeFile(join(dead, `${stranger}.json`), JSON.stringify({ pid: stranger, ...longAgo }));
    await using ledger = createProcessLedger(dir);
    expect(await ledger.reapOrphans()).toBe(0);
    expect(isAlive(stranger)).toBe(true);
  });

  it('takes torn and foreign files for nothing', async () => {
    const dead = join(dir, crypto.randomUUID());
    await mkdir(dead);
    await writeFile(join(dead, 'owner.json'), '');
    await writeFile(join(dead, '1.json'), JSON.stringify({ pid: 1, atMs: Date.now() }));
    await writeFile(join(dead, '0.json'), JSON.stringify({ pid: 0, atMs: Date.now() }));
    await writeFile(join(dead, '12.json'), '{"pid":');
    await mkdir(join(dir, 'not-a-ledger'));
    await using ledger = createProcessLedger(dir);
    expect(await ledger.reapOrphans()).toBe(0);
    expect((await readdir(dir)).toSorted()).toEqual([ledger.id, 'not-a-ledger'].toSorted());
  });

  it('forgets what has ended, and leaves nothing when disposed', async () => {
    const stranger = startStranger();
    const ledger = createProcessLedger(dir);
    ledger.record(stranger);
    expect(await readdir(join(dir, ledger.id))).toHaveLength(2);
    ledger.forget(stranger);
    ledger.forget(stranger);
    expect(await readdir(join(dir, ledger.id))).toEqual(['owner.json']);
    await ledger[Symbol.asyncDispose]();
    expect(await readdir(dir)).toEqual([]);
  });
});
