/** One connection kept alive: opened once for all who wait, reopened with back-off when it breaks. */

import type { Clock } from '../kernel/clock.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import type { RpcNotification } from '../kernel/json-rpc.ts';
import type { Connection } from '../transport/connection.ts';
import { backoffMs, type BackoffOptions } from './backoff.ts';

export type ReplicaState = 'stopped' | 'starting' | 'ready' | 'waiting' | 'sleeping';

export interface ReplicaOptions {
  readonly server: string;
  /** Reopen by itself after a break; a lazy replica sleeps until the next call instead. */
  readonly lazy: boolean;
  readonly clock: Clock;
  readonly backoff: BackoffOptions;
  readonly open: (
    events: { onNotification: (n: RpcNotification) => void; onClose: (e: Error) => void },
    signal: AbortSignal,
  ) => Promise<Connection>;
  /** Runs on each fresh connection before anyone may use it. */
  readonly onOpen: (connection: Connection) => Promise<void>;
  readonly onNotification: (notification: RpcNotification) => void;
  readonly onChange: () => void;
  /** Hears why a connection in use broke. */
  readonly onBroken?: (reason: Error) => void;
  /** It is opened again; hears why that is needed. */
  readonly onRestart?: (problem: string | undefined) => void;
}

export interface Replica {
  readonly state: ReplicaState;
  /** Why the last try or the last connection failed. */
  readonly reason: string | undefined;
  readonly restarts: number;
  /** Why and when (milliseconds since the epoch) a connection in use broke last. */
  readonly lastBreak: { readonly reason: string; readonly atMs: number } | undefined;
  readonly connection: Connection | undefined;
  /** It broke a moment ago and is expected back: `acquire` waits for it. */
  readonly isReviving: boolean;
  /** The live connection; starts one if there is none. Rejects UPSTREAM_UNAVAILABLE. */
  acquire(): Promise<Connection>;
  /** A call was answered: if it breaks now, it comes back without delay, however often it broke before. */
  prove(): void;
  /** Closes a connection that is of no use any more and opens another, as if it had broken. */
  restart(problem: string): void;
  /** Closes and stays closed until `acquire`; asleep if it may come back by itself then, which a lazy one always may. */
  stop(rest?: 'sleeping' | 'stopped'): Promise<void>;
}

/** A connection that lived this long had started well, so its back-off begins anew. */
const stableMs = 30_000;

/** After so long without a fault of its own it is taken for sound. */
const steadyMs = 600_000;
/** While calls wait, it is tried this often at least: one that is back must not be waited for any longer. */
const revivalRetryMs = 1000;

/** Calls wait so long for a connection that broke to come back; then they fail at once until it does. */
const revivalMs = 5000;

export function createReplica(options: ReplicaOptions): Replica {
  const { server, clock } = options;
  let state: ReplicaState = options.lazy ? 'sleeping' : 'stopped';
  let connection: Connection | undefined;
  let opening: Promise<Connection> | undefined;
  let cancelRetry: (() => void) | undefined;
  let reason: string | undefined;
  let failures = 0;
  let restarts = 0;
  let openedAtMs = 0;
  /** Grows with each stop, so that an opening that ends afterwards knows that it came too late. */
  let generation = 0;
  let attempt = new AbortController();
  /** The close under way: two processes of one server never live side by side. */
  let closing: Promise<void> | undefined;
  /** What calls wait for after a break, until it is back or not to be expected any more. */
  let revival: PromiseWithResolvers<Connection> | undefined;
  let cancelRevival: (() => void) | undefined;
  let lastBreak: Replica['lastBreak'];
  /**
   * Breaks by its own doing, over a limit or taking its host thread along, one soon after the other: that it answers
   * calls in between proves nothing then.
   */
  let faults = 0;
  /** No start before, for the same reason. */
  let notBeforeMs = 0;

  function moveTo(next: ReplicaState): void {
    state = next;
    options.onChange();
  }

  function scheduleRetry(): void {
    moveTo('waiting');
    const stepMs = backoffMs(failures, options.backoff);
    const delayMs = revival ? Math.min(stepMs, revivalRetryMs) : stepMs;
    if (delayMs === stepMs) failures += 1;
    cancelRetry = clock.after(delayMs, () => {
      cancelRetry = undefined;
      restarts += 1;
      options.onRestart?.(reason);
      open().catch(() => {});
    });
  }

  function onBreak(broken: Connection, error: Error): void {
    if (broken !== connection) return;
    connection = undefined;
    reason = messageOf(error);
    lastBreak = { reason: problemOf(error), atMs: clock.now() };
    if (clock.now() - openedAtMs >= stableMs) failures = 0;
    if (isAppError(error) && error.data['innocent'] === true) failures = 0;
    if (isAppError(error) && error.data['atFault'] === true) noteFault();
    if (options.lazy) moveTo('sleeping');
    else {
      expectBack();
      scheduleRetry();
    }
    options.onBroken?.(error);
  }

  function noteFault(): void {
    if (clock.now() - openedAtMs >= steadyMs) faults = 0;
    failures = Math.max(failures, faults);
    if (options.lazy) notBeforeMs = clock.now() + backoffMs(faults, options.backoff);
    faults += 1;
  }

  function expectBack(): void {
    revival = Promise.withResolvers();
    // Nobody may be waiting.
    revival.promise.catch(() => {});
    cancelRevival = clock.after(revivalMs, () => {
      cancelRevival = undefined;
      // A try under way is waited for.
      if (state !== 'starting') endRevival();
      options.onChange();
    });
  }

  function endRevival(fresh?: Connection): void {
    cancelRevival?.();
    cancelRevival = undefined;
    const ended = revival;
    revival = undefined;
    if (fresh) ended?.resolve(fresh);
    else ended?.reject(unavailable(`restarting after: ${reason ?? 'a failure'}`));
  }

  function unavailable(problem: string, cause?: unknown): AppError {
    return new AppError('UPSTREAM_UNAVAILABLE', { server, problem }, { cause });
  }

  async function connect(): Promise<Connection> {
    const born = generation;
    let fresh: Connection | undefined;
    let brokeEarly: Error | undefined;
    const { signal } = attempt;
    if (closing) {
      await closing;
      if (born !== generation) throw new Error('stopped while it was starting');
    }
    const connectionEvents = {
      onNotification: options.onNotification,
      onClose: (error: Error) => {
        if (fresh === undefined || connection !== fresh) brokeEarly = error;
        else onBreak(fresh, error);
      },
    };
    fresh = await options.open(connectionEvents, signal);
    try {
      await options.onOpen(fresh);
      if (brokeEarly !== undefined) throw brokeEarly;
      if (born !== generation) throw new Error('stopped while it was starting');
    } catch (error) {
      await fresh.close();
      throw error;
    }
    // Taken here and not after the promise: a break in between would go unseen.
    connection = fresh;
    openedAtMs = clock.now();
    reason = undefined;
    return fresh;
  }

  function open(): Promise<Connection> {
    if (opening) return opening;
    cancelRetry?.();
    cancelRetry = undefined;
    const born = generation;
    moveTo('starting');
    opening = connect().then(
      (fresh) => {
        opening = undefined;
        if (connection === fresh) {
          moveTo('ready');
          endRevival(fresh);
        }
        return fresh;
      },
      (error: unknown) => {
        opening = undefined;
        reason = problemOf(error);
        if (born === generation) {
          if (options.lazy) moveTo('sleeping');
          else scheduleRetry();
          if (cancelRevival === undefined) endRevival();
        }
        throw unavailable(reason, error);
      },
    );
    return opening;
  }

  async function closed(live: Connection): Promise<void> {
    await live.close().catch(() => {});
    closing = undefined;
  }

  return {
    get state() {
      return state;
    },
    get reason() {
      return reason;
    },
    get restarts() {
      return restarts;
    },
    get isReviving() {
      return revival !== undefined;
    },
    get lastBreak() {
      return lastBreak;
    },
    get connection() {
      return connection;
    },
    async acquire() {
      if (connection) return connection;
      if (revival) return await revival.promise;
      // A call does not jump the back-off: a server that keeps failing answers at once with its reason.
      if (state === 'waiting' || clock.now() < notBeforeMs)
        throw unavailable(`restarting after: ${reason ?? 'a failure'}`);
      return await open();
    },
    prove() {
      failures = 0;
    },
    restart(problem) {
      const useless = connection;
      if (!useless) return;
      onBreak(useless, new Error(problem));
      closing = closed(useless);
    },
    async stop(rest = options.lazy ? 'sleeping' : 'stopped') {
      generation += 1;
      attempt.abort();
      attempt = new AbortController();
      cancelRetry?.();
      cancelRetry = undefined;
      const live = connection;
      connection = undefined;
      failures = 0;
      faults = 0;
      notBeforeMs = 0;
      moveTo(rest);
      await opening?.catch(() => {});
      if (live) closing = closed(live);
      endRevival();
      await closing;
      if (state !== rest) moveTo(rest);
    },
  };
}

/** Why a connection failed, without the server's name, which the caller's sentence has already. */
function problemOf(error: unknown): string {
  const problem = isAppError(error) ? error.data['problem'] : undefined;
  return typeof problem === 'string' ? problem : messageOf(error);
}
