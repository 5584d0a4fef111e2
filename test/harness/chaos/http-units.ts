/** The processes of the HTTP servers: the test starts them, and starts them again when they were killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Fleet, type FleetSize, httpServerPath } from './fleet.ts';

export interface HttpUnits extends AsyncDisposable {
  readonly pids: ReadonlySet<number>;
  readonly portOf: (unit: string) => number;
  start(fleet: Fleet): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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
    child.once('exit', () => void reopen(unit, args));
    await once(child.stdout, 'data');
  }

  async function reopen(unit: string, args: readonly string[]): Promise<void> {
    await delay(random() * awayMs);
    if (!isOver) await open(unit, args);
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
