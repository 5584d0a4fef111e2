/** A replica as something that calls are given to: its load, how well it does, and whether it may have more. */

import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import { type JsonObject, RpcError } from '../kernel/json-rpc.ts';
import type { HealthOptions } from '../kernel/pool-options.ts';
import type { Connection } from '../transport/connection.ts';
import type { Candidate, Fitness } from './balancer.ts';
import { type BreakerState, createBreaker } from './health/breaker.ts';
import { createConnectionCheck, type ConnectionCheck } from './health/check-connection.ts';
import type { CheckSchedule } from './health/check-schedule.ts';
import { createLatency } from './health/latency.ts';
import { isServersFault } from './health/servers-fault.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import type { Replica } from './replica.ts';
import type { CallOptions } from './scale/places.ts';

export interface PoolMember extends Candidate {
  readonly replica: Replica;
  readonly breaker: BreakerState;
  /** It answers, but takes longer than it should. */
  readonly isSlow: boolean;
  /** Average time of its calls, milliseconds; 0 while nothing is known. */
  readonly averageMs: number;
  /** When it last answered a check or a call, milliseconds since the epoch; undefined when it never did. */
  readonly lastAnswerAtMs: number | undefined;
  /** What is wrong with it, if anything. */
  readonly reason: string | undefined;
  /** It gets no more calls while it is true. */
  isDraining: boolean;
  /** A connection is open and about to be used: what was held against the one before is forgotten. */
  opened(connection: Connection): void;
  acquire(): Promise<Connection>;
  /** Counts a call that has been given to it and is not sent yet. */
  reserve(): void;
  /** Such a call is not sent after all. */
  release(): void;
  /** Calls that it has, and those that wait for its connection. */
  readonly work: InFlight;
  /** One counted request over a connection of this member. */
  request(
    connection: Connection,
    method: string,
    params: JsonObject | undefined,
    options: CallOptions,
  ): Promise<JsonObject>;
  /** No more checks. */
  close(): void;
}

export interface MemberOptions {
  readonly id: string;
  readonly replica: Replica;
  readonly clock: Clock;
  readonly health: HealthOptions;
  readonly slowStartMs: number;
  /** Longest time for one call, milliseconds. */
  readonly timeoutMs: number;
  readonly checks: CheckSchedule;
  /** Opens a connection anew that answers no checks. Host threads see to that by themselves. */
  readonly restartsHung: boolean;
  /** Its fitness, or what is said about it, may have changed. */
  readonly onChange: () => void;
  /** A call began or ended. */
  readonly onLoad: (by: 1 | -1) => void;
  /** Its circuit has opened; hears the last failure, and the request id of its call. */
  readonly onOpened?: (problem: string | undefined, call: string | undefined) => void;
}

/** Checks without an answer, one after the other, that take it out of traffic. */
const missedChecks = 2;
/** As many again, and its connection is opened anew: a process that hangs does not come back by itself. */
const hopelessChecks = 2 * missedChecks;
/** While it does not answer it is asked at least so often, milliseconds. */
const recheckMs = 5000;
/** Least share of traffic after a restart. */
const coldShare = 0.1;

export function createMember(options: MemberOptions): PoolMember {
  const { replica, clock, health, onChange } = options;
  const latency = createLatency(clock);
  const breaker = createBreaker({ clock, ...health, onChange: onBreaker });
  const work = createInFlight();
  let inFlight = 0;
  let check: ConnectionCheck | undefined;
  let missed = 0;
  /** Its circuit is half open, and a check goes before the first call. */
  let isProbing = false;
  let lastFailure: string | undefined;
  let lastAnswerAtMs: number | undefined;
  let isSlow = false;
  let warmFromMs: number | undefined;
  let cancelRecheck: (() => void) | undefined;
  let isClosed = false;

  const { checkIntervalMs } = health;
  const stopChecks =
    checkIntervalMs === 0
      ? undefined
      : options.checks.add({
          intervalMs: checkIntervalMs,
          isDue: () =>
            replica.connection !== undefined && clock.now() - (lastAnswerAtMs ?? 0) >= checkIntervalMs / 2,
          check: async () => void (await runCheck()),
        });

  function onBreaker(): void {
    if (breaker.mayTry && replica.connection && checkIntervalMs > 0 && !isProbing) {
      isProbing = true;
      void probe();
    }
    onChange();
  }

  async function probe(): Promise<void> {
    const isAlive = await runCheck();
    isProbing = false;
    if (!isAlive && breaker.state === 'half-open') breaker.fail();
    onChange();
  }

  /** True when there was an answer. */
  async function runCheck(): Promise<boolean> {
    const asked = check;
    if (!asked || !replica.connection) return false;
    try {
      await asked.run();
      if (asked === check) answered();
      return true;
    } catch (error) {
      if (asked === check) missedCheck(error);
      return false;
    }
  }

  /** Any sign of life. */
  function answered(): void {
    lastAnswerAtMs = clock.now();
    if (missed === 0) return;
    const wasSilent = missed >= missedChecks;
    missed = 0;
    if (wasSilent) onChange();
  }

  function missedCheck(error: unknown): void {
    missed += 1;
    lastFailure = messageOf(error);
    if (missed >= hopelessChecks && isHung()) {
      replica.restart(`it did not answer ${missed} checks`);
      missed = 0;
      return;
    }
    if (!isClosed && checkIntervalMs > 0) {
      cancelRecheck?.();
      cancelRecheck = clock.after(Math.min(recheckMs, checkIntervalMs), () => void runCheck());
    }
    if (missed === missedChecks) onChange();
  }

  /** Some servers answer nothing while they work on a call: those get the time that the call has. */
  function isHung(): boolean {
    if (!options.restartsHung) return false;
    return inFlight === 0 || clock.now() - (lastAnswerAtMs ?? 0) > options.timeoutMs;
  }

  function succeeded(tookMs: number): void {
    answered();
    latency.observe(tookMs);
    replica.prove();
    breaker.succeed();
    const { slowMs } = health;
    if (slowMs === undefined || latency.averageMs > slowMs === isSlow) return;
    isSlow = !isSlow;
    onChange();
  }

  function failed(error: unknown, call?: string): void {
    if (error instanceof RpcError) {
      answered();
      breaker.succeed();
    } else if (isServersFault(error)) {
      lastFailure = messageOf(error);
      const wasOpen = breaker.state === 'open';
      breaker.fail();
      if (breaker.state === 'open' && !wasOpen) options.onOpened?.(lastFailure, call);
    } else breaker.abandonTrial();
  }

  function fitness(): Fitness {
    if (member.isDraining) return 'out';
    const { state } = replica;
    if (state === 'starting' || state === 'stopped') return 'coming';
    if (state === 'waiting') return replica.isReviving ? 'coming' : 'down';
    const passes = breaker.state === 'closed' || (breaker.mayTry && !isProbing);
    return passes && missed < missedChecks ? 'fit' : 'sick';
  }

  function reason(): string | undefined {
    if (replica.state !== 'ready') return replica.reason;
    if (missed >= missedChecks) return `it did not answer ${missed} checks: ${lastFailure ?? 'no answer'}`;
    if (breaker.state === 'open') return `its calls failed, the last one: ${lastFailure ?? 'unknown'}`;
    if (breaker.state === 'half-open')
      return `on trial after failures, the last one: ${lastFailure ?? 'unknown'}`;
    if (isSlow) return `its calls take ${Math.round(latency.averageMs)} ms on average`;
    return undefined;
  }

  function load(by: 1 | -1): void {
    inFlight += by;
    if (by === 1) work.begin();
    else work.end();
    options.onLoad(by);
  }

  const member: PoolMember = {
    id: options.id,
    replica,
    work,
    isDraining: false,
    get inFlight() {
      return inFlight;
    },
    get latencyMs() {
      return latency.currentMs;
    },
    get averageMs() {
      return latency.averageMs;
    },
    get lastAnswerAtMs() {
      return lastAnswerAtMs;
    },
    get breaker() {
      return breaker.state;
    },
    get isSlow() {
      return isSlow;
    },
    get fitness() {
      return fitness();
    },
    get reason() {
      return reason();
    },
    get warmth() {
      if (warmFromMs === undefined) return 1;
      const share = (clock.now() - warmFromMs) / options.slowStartMs;
      if (share >= 1) warmFromMs = undefined;
      return Math.min(Math.max(share, coldShare), 1);
    },
    opened(connection) {
      check = createConnectionCheck(connection, health.checkTimeoutMs);
      missed = 0;
      isProbing = false;
      lastAnswerAtMs = clock.now();
      if (replica.restarts > 0 && options.slowStartMs > 0) warmFromMs = clock.now();
      breaker.reset();
    },
    async acquire() {
      work.begin();
      try {
        return await replica.acquire();
      } catch (error) {
        if (replica.state === 'sleeping') failed(error);
        throw error;
      } finally {
        work.end();
      }
    },
    reserve: () => load(1),
    release: () => load(-1),
    async request(connection, method, params, requestOptions) {
      const startedAtMs = clock.elapsed();
      if (requestOptions.place?.begin() !== true) load(1);
      if (breaker.state === 'half-open') breaker.beginTrial();
      try {
        const result = await connection.request(method, params, requestOptions);
        succeeded(clock.elapsed() - startedAtMs);
        return result;
      } catch (error) {
        failed(error, requestOptions.requestId);
        throw error;
      } finally {
        load(-1);
      }
    },
    close() {
      isClosed = true;
      stopChecks?.();
      cancelRecheck?.();
      breaker.close();
    },
  };
  return member;
}
