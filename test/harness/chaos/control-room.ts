/** Where the tormented servers report to and take orders from. */

import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { Order, Word } from '../../fixtures/chaos/control.ts';

export interface Attendant {
  readonly unit: string;
  readonly pid: number;
  order(order: Order): void;
}

export interface Run {
  readonly id: string;
  /** When each run began. */
  readonly atMs: number[];
}

export interface ControlRoom extends AsyncDisposable {
  readonly port: number;
  /** Servers that are connected now. */
  attendants(unit: string): readonly Attendant[];
  /** All units with a connection. */
  units(): readonly string[];
  /** What servers said they ran, by call. */
  readonly runs: ReadonlyMap<number, Run>;
  /** Answers that were made useless, by call. */
  readonly spoiled: ReadonlyMap<number, string>;
  /** Since when no server of the unit is connected, milliseconds since the epoch; undefined while there is one. */
  awaySinceMs(unit: string): number | undefined;
  /** How long its last absence was, and when that ended. */
  lastAbsence(unit: string): { readonly ms: number; readonly endedAtMs: number } | undefined;
  /** Every process that ever reported. */
  readonly pids: ReadonlySet<number>;
}

export async function openControlRoom(on: {
  readonly onLeft: (unit: string, pid: number) => void;
  readonly onSpoiled: (id: string, how: string) => void;
}): Promise<ControlRoom> {
  const present = new Map<Socket, Attendant>();
  const runs = new Map<number, Run>();
  const spoiled = new Map<number, string>();
  const pids = new Set<number>();
  const away = new Map<string, number>();
  const absences = new Map<string, { ms: number; endedAtMs: number }>();

  function came(unit: string): void {
    const sinceMs = away.get(unit);
    away.delete(unit);
    if (sinceMs !== undefined) absences.set(unit, { ms: Date.now() - sinceMs, endedAtMs: Date.now() });
  }

  function hear(socket: Socket, word: Word): void {
    if (word.kind === 'hello') {
      const { unit, pid } = word;
      if (pid !== process.pid) pids.add(pid);
      came(unit);
      present.set(socket, { unit, pid, order: (order) => void socket.write(`${JSON.stringify(order)}\n`) });
    } else if (word.kind === 'ran') {
      const run = runs.get(word.n) ?? { id: word.id, atMs: [] };
      run.atMs.push(Date.now());
      runs.set(word.n, run);
    } else {
      spoiled.set(word.n, word.how);
      on.onSpoiled(word.id, word.how);
    }
  }

  const server = createServer((socket) => {
    socket.on('error', () => {});
    createInterface({ input: socket })
      .on('line', (line) => hear(socket, JSON.parse(line) as Word))
      .on('error', () => {});
    socket.on('close', () => {
      const left = present.get(socket);
      present.delete(socket);
      if (left && ![...present.values()].some(({ unit }) => unit === left.unit))
        away.set(left.unit, Date.now());
      if (left) on.onLeft(left.unit, left.pid);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    attendants: (unit) =>
      [...present.values()].filter((one) => one.unit === unit || one.unit.startsWith(`${unit}-`)),
    awaySinceMs: (unit) => away.get(unit),
    lastAbsence: (unit) => absences.get(unit),
    units: () => [...new Set([...present.values()].map(({ unit }) => unit))],
    runs,
    spoiled,
    pids,
    async [Symbol.asyncDispose]() {
      for (const socket of present.keys()) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
