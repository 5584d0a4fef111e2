/** Keeps what happened, and says of each call whether its end was right. */

import { answerText } from '../../fixtures/chaos/control.ts';
import type { ControlRoom } from './control-room.ts';
import type { ChaosServer } from './fleet.ts';
import type { Answer, Client } from './mcp-client.ts';

export interface Call {
  readonly n: number;
  readonly server: ChaosServer;
  readonly tool: string;
  readonly client: Client;
  readonly startedAtMs: number;
}

export interface Fault {
  readonly unit: string;
  readonly what: string;
  /** Calls under way there may be lost by it. */
  readonly isHarmful: boolean;
  readonly atMs: number;
}

export interface Judge {
  fault(unit: string, what: string, isHarmful: boolean): void;
  /** A call sets out. */
  began(call: Call): void;
  /** Of the last fault of a unit nothing is left: its calls have ended, and all its servers have answered since. */
  isOver(unit: string, servers: readonly ChaosServer[]): boolean;
  answered(call: Call, answer: Answer): void;
  /** The request ended without an answer. */
  failed(call: Call, error: unknown): void;
  cancelled(call: Call): void;
  violation(text: string): void;
  /** A process has gone: somebody must have wanted that. */
  left(unit: string, pid: number): void;
  /** Its processes are being replaced by a change of the config. */
  replacing(unit: string): void;
  /** Which calls ran twice, or were answered and never ran. */
  settle(): void;
  report(): Verdict;
}

export interface Verdict {
  readonly calls: number;
  readonly cancelled: number;
  /** Errors that were to be expected, by cause. */
  readonly errors: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly unanswered: number;
  readonly violations: readonly string[];
}

/** What a fault does may show so much later than it was ordered, milliseconds. */
const effectMs = 10_000;
const patienceMs = 4000;
/** A hung or half-dead process is ended by the gateway some time after the fault. */
const deathMs = 30_000;

export function createJudge(room: () => ControlRoom, logOf: (id: string) => readonly string[]): Judge {
  const faults: Fault[] = [];
  const counts: Record<string, number> = {};
  const errors: Record<string, number> = {};
  const violations: string[] = [];
  const replaced = new Map<string, number>();
  /** Calls that must not run twice, and those of them that were answered with a result. */
  const adds = new Set<number>();
  const added = new Set<number>();
  const underWay = new Set<Call>();
  /** When the youngest call that was answered well had set out, by server. */
  const lastGoodMs = new Map<string, number>();
  let calls = 0;
  let cancelled = 0;
  let unanswered = 0;

  function violation(text: string): void {
    violations.push(text);
  }

  const faultsOn = (unit: string, fromMs: number) =>
    faults.filter((fault) => fault.unit === unit && fault.atMs >= fromMs);

  function storyOf(call: Call, end: string): string {
    const { n, server, tool, client, startedAtMs } = call;
    const since = (atMs: number) => `${atMs - startedAtMs} ms`;
    const runs = room().runs.get(n)?.atMs.map(since) ?? [];
    const spoiled = room().spoiled.get(n);
    const near = faultsOn(server.unit, startedAtMs - 10_000);
    return [
      `call ${n}: ${tool} of ${server.id} (${server.unit}) at ${client.path}, ${client.session === undefined ? 'modern' : 'legacy'}`,
      `  ended after ${since(Date.now())}: ${end}`,
      `  ran at ${runs.join(', ') || 'no time'}${spoiled === undefined ? '' : `, answer spoiled: ${spoiled}`}`,
      ...near.map(({ what, atMs }) => `  fault at ${since(atMs)}: ${what}`),
      ...logOf(server.id).map((line) => `  log: ${line.slice(0, 300)}`),
    ].join('\n');
  }

  /** The gateway waits five seconds for a server to come back. One that this test kept away for longer says nothing. */
  function wasAway(unit: string): boolean {
    const sinceMs = room().awaySinceMs(unit);
    if (sinceMs !== undefined) return Date.now() - sinceMs > patienceMs;
    const last = room().lastAbsence(unit);
    return last !== undefined && last.ms > patienceMs && Date.now() - last.endedAtMs < last.ms;
  }

  function isExcused({ n, server, tool, startedAtMs }: Call, code: string | undefined): boolean {
    if (code === 'UPSTREAM_UNAVAILABLE') return wasAway(server.unit);
    if (tool !== 'add' || (code !== 'UPSTREAM_FAILED' && code !== 'UPSTREAM_PROTOCOL')) return false;
    if (room().spoiled.has(n)) return true;
    if (code === 'UPSTREAM_PROTOCOL') return false;
    return faultsOn(server.unit, startedAtMs - effectMs).some(({ isHarmful }) => isHarmful);
  }

  return {
    fault(unit, what, isHarmful) {
      faults.push({ unit, what, isHarmful, atMs: Date.now() });
      counts[what] = (counts[what] ?? 0) + 1;
    },
    began: (call) => void underWay.add(call),
    isOver(unit, servers) {
      const lastMs = faults.findLast((fault) => fault.unit === unit)?.atMs;
      if (lastMs === undefined) return true;
      for (const { server, startedAtMs } of underWay)
        if (server.unit === unit && startedAtMs <= lastMs) return false;
      return servers.every(({ id }) => (lastGoodMs.get(id) ?? 0) > lastMs);
    },
    answered(call, { message, status }) {
      underWay.delete(call);
      calls += 1;
      const { n, server, tool } = call;
      if (tool === 'add') adds.add(n);
      const { result, error } = message;
      if (message.id !== n)
        violation(storyOf(call, `HTTP ${status} with another id: ${JSON.stringify(message)}`));
      else if (result) {
        const [block] = result['content'] as { text: string }[];
        if (block?.text !== answerText(server.id, tool, n))
          violation(storyOf(call, `not its answer: ${JSON.stringify(result)}`));
        if (tool === 'add') added.add(n);
        lastGoodMs.set(server.id, Math.max(lastGoodMs.get(server.id) ?? 0, call.startedAtMs));
      } else if (!error) violation(storyOf(call, `neither result nor error: ${JSON.stringify(message)}`));
      else {
        const { code, id } = error.data ?? {};
        if (isExcused(call, code) && typeof id === 'string') {
          const cause = `${code}: ${String(error.data?.['problem'])}`;
          errors[cause] = (errors[cause] ?? 0) + 1;
        } else violation(storyOf(call, JSON.stringify(error)));
      }
    },
    failed(call, error) {
      underWay.delete(call);
      calls += 1;
      unanswered += 1;
      violation(storyOf(call, `no answer: ${String(error)}`));
    },
    cancelled(call) {
      underWay.delete(call);
      calls += 1;
      cancelled += 1;
    },
    violation,
    left(unit, pid) {
      const own = unit.startsWith('host-') ? 'host' : unit;
      const wanted = faultsOn(own, Date.now() - deathMs).length > 0;
      const isReplaced = Date.now() - (replaced.get(unit) ?? 0) < deathMs + 10_000;
      if (!wanted && !isReplaced)
        violation(`${unit}, process ${pid}, went without a fault\n${logOf(unit).join('\n')}`);
    },
    replacing(unit) {
      replaced.set(unit, Date.now());
    },
    settle() {
      for (const [n, { id, atMs }] of room().runs)
        if (adds.has(n) && atMs.length > 1) violation(`call ${n} of ${id} (add) ran ${atMs.length} times`);
      for (const n of added) if (!room().runs.has(n)) violation(`call ${n} (add) was answered and never ran`);
    },
    report: () => ({ calls, cancelled, errors, faults: counts, unanswered, violations }),
  };
}
