/** The processes of the HTTP servers: the test starts them, and starts them again when they were killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../fixtures/free-port.ts';
import { type Fleet, type FleetSize, httpServerPath } from './fleet.ts';

export interface HttpUnits extends AsyncDisposable {
  readonly pids: ReadonlySet<number>;
  readonly portOf: (unit: string) => number;
  start(fleet: Fleet): Promise<void>;
}

/** Longest time that a killed one stays away, milliseconds. */
const awayMs = 1500;

export async function startHttpUnits(
  size: FleetSize,
  controlPort: number,
  random: () => number,
): Promise<HttpUnits> {
  const ports = new Map<string, number>();
  for (let n = 0; n < size.http; n += 1) ports.set(`http-${n}`, await freePort());
  const running = new Map<string, ChildProcess>();
  const pids = new Set<number>();
  let isOver = false;
  const portOf = (unit: string) => ports.get(unit)!;

  async function open(unit: string, args: readonly string[]): Promise<void> {
    const own = [httpServerPath, unit, String(controlPort), String(portOf(unit)), ...args];
    const child = spawn(process.execPath, own, { stdio: ['pipe', 'pipe', 'inherit'] });
    running.set(unit, child);
    pids.add(child.pid!);
    const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => undefined)]);
    if (said === undefined) throw new Error(`the HTTP server ${unit} did not start`);
    child.once('exit', () => void reopen(unit, args));
  }

  async function reopen(unit: string, args: readonly string[]): Promise<void> {
    await delay(random() * awayMs);
    // One that is killed before it listens is as good as killed twice.
    if (!isOver) await open(unit, args).catch(() => reopen(unit, args));
  }

  return {
    pids,
    portOf,
    async start({ httpUnits }) {
      await Promise.all(httpUnits.map(({ unit, args }) => open(unit, args)));
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      for (const child of running.values()) child.kill('SIGKILL');
    },
  };
}
