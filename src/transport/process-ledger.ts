/**
 * The children of this coordinator, written down so that the next one can end what a `kill -9` left behind.
 * One folder a coordinator, one file a child: no file ever grows, and the kernel keeps what was written
 * when this process dies, so nothing is fsynced.
 */

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endProcessGroup } from './child/process-group.ts';
import { listProcesses, readProcess, readProcessVariable } from './child/process-table.ts';

/** Environment variable that marks every descendant: `<ledger id>.<number of the child>`. */
export const childMarker = 'GIT_MEMORY_MCP_CHILD';

export interface ProcessLedger extends AsyncDisposable {
  readonly id: string;
  /** A fresh value for the marker variable of one child. */
  nextMarker(): string;
  /** Writes down a child, the leader of its own process group; call it before the child is used. */
  record(pid: number): void;
  /** The child and its whole group are gone. */
  forget(pid: number): void;
  /** Kills what left the group of a child that has ended (Linux). */
  endEscaped(marker: string): Promise<void>;
  /** Ends what coordinators that no longer live left behind; resolves with the number of processes or groups ended. */
  reapOrphans(): Promise<number>;
}

/** A pid together with what tells it from a later process that got the same number. */
interface Identity {
  readonly pid: number;
  /** Linux: boot id and start time in ticks. */
  readonly start?: string;
  /** Elsewhere: when it was recorded, milliseconds since the epoch. */
  readonly atMs: number;
}

const run = promisify(execFile);
const scanDelayMs = 20;
const orphanTimes = { graceMs: 0, termMs: 1000 };

function startOf(pid: number): string | undefined {
  const row = readProcess(pid);
  // A coordinator that was killed stays a zombie until its parent looks at it.
  if (!row || row.state === 'Z') return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${row.startTicks}`;
}

function identify(pid: number): Identity {
  const start = process.platform === 'linux' ? startOf(pid) : undefined;
  return { pid, atMs: Date.now(), ...(start !== undefined && { start }) };
}

/** When a process started, milliseconds since the epoch; asked of ps or PowerShell, which only reaping pays for. */
async function startedAtMs(pid: number): Promise<number> {
  const ask =
    process.platform === 'win32'
      ? run('powershell.exe', [
          '-NoProfile',
          '-Command',
          `(Get-Process -Id ${pid}).StartTime.ToUniversalTime().ToString('o')`,
        ])
      : run('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { ...process.env, LC_ALL: 'C' } });
  return await ask.then(
    ({ stdout }) => Date.parse(stdout.trim()),
    () => Number.NaN,
  );
}

/** Recorded right after the start, so the times agree within the seconds that ps rounds to and a busy machine loses. */
const startToleranceMs = 5000;

async function isStillAlive(identity: Identity): Promise<boolean> {
  if (process.platform === 'linux')
    return identity.start !== undefined && startOf(identity.pid) === identity.start;
  const atMs = await startedAtMs(identity.pid);
  // A coordinator records itself long after its own start; a process that took over the pid starts after the record.
  return atMs <= identity.atMs + startToleranceMs;
}

function parseIdentity(text: string): Identity | undefined {
  try {
    const value = JSON.parse(text) as Identity;
    return Number.isSafeInteger(value.pid) && value.pid > 1 ? value : undefined;
  } catch {
    // The coordinator died between making the file and filling it.
    return undefined;
  }
}

async function readIdentity(path: string): Promise<Identity | undefined> {
  return await readFile(path, 'utf8').then(parseIdentity, () => undefined);
}

const ledgerName = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ownerFile = 'owner.json';

/** Opens the ledger of this coordinator in a folder that all coordinators of one data folder share. */
export function createProcessLedger(dir: string): ProcessLedger {
  const id = crypto.randomUUID();
  const home = join(dir, id);
  let children = 0;
  let scan: Promise<MarkedProcess[]> | undefined;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, ownerFile), JSON.stringify(identify(process.pid)));

  /** Many children end at the same time when a coordinator stops: they share one look at all processes. */
  async function scanSoon(): Promise<MarkedProcess[]> {
    await delay(scanDelayMs);
    scan = undefined;
    return await findMarked(id);
  }

  return {
    id,
    nextMarker: () => `${id}.${++children}`,
    record(pid) {
      writeFileSync(join(home, `${pid}.json`), JSON.stringify(identify(pid)));
    },
    forget(pid) {
      rmSync(join(home, `${pid}.json`), { force: true });
    },
    async endEscaped(marker) {
      scan ??= scanSoon();
      for (const found of await scan) {
        if (found.marker === marker) killProcess(found.pid);
      }
    },
    async reapOrphans() {
      let ended = 0;
      for (const name of await readdir(dir)) {
        // Whatever else lies in the folder is not ours to delete.
        if (name === id || !ledgerName.test(name)) continue;
        const owner = await readIdentity(join(dir, name, ownerFile));
        if (owner && (await isStillAlive(owner))) continue;
        ended += await reapLedger(join(dir, name), name);
        await rm(join(dir, name), { recursive: true, force: true });
      }
      return ended;
    },
    async [Symbol.asyncDispose]() {
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function reapLedger(home: string, id: string): Promise<number> {
  const names = await readdir(home).catch(() => []);
  const recorded = await Promise.all(
    names.filter((name) => name !== ownerFile).map((name) => readIdentity(join(home, name))),
  );
  const leaders: number[] = [];
  for (const identity of recorded) if (identity && (await isStillAlive(identity))) leaders.push(identity.pid);
  const groups = new Set([...leaders, ...(await markedGroups(id))]);
  await Promise.all([...groups].map((group) => endProcessGroup(group, orphanTimes)));
  return groups.size;
}

interface MarkedProcess {
  readonly pid: number;
  readonly group: number;
  readonly marker: string;
}

/** All processes that carry the mark of a ledger. Only Linux shows the environment of a process. */
async function findMarked(id: string): Promise<MarkedProcess[]> {
  if (process.platform !== 'linux') return [];
  const found = (await listProcesses()).map(async ({ pid, group }) => {
    const marker = await readProcessVariable(pid, childMarker);
    return marker?.startsWith(`${id}.`) ? { pid, group, marker } : undefined;
  });
  return (await Promise.all(found)).filter((entry) => entry !== undefined);
}

/**
 * Groups with a member that carries the ledger's mark. It finds descendants whose leader is already dead,
 * and those that made a group of their own. A group that is only known by its number is left alone: the
 * number may belong to someone else by now.
 */
async function markedGroups(id: string): Promise<number[]> {
  const own = process.platform === 'linux' ? readProcess(process.pid)?.group : undefined;
  return (await findMarked(id)).map((found) => found.group).filter((group) => group !== own);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}
