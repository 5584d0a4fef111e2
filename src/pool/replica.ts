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
}

export interface Replica {
  readonly state: ReplicaState;
  /** Why the last try or the last connection failed. */
  readonly reason: string | undefined;
  readonly restarts: number;
  readonly connection: Connection | undefined;
  /** The live connection; starts one if there is none. Rejects UPSTREAM_UNAVAILABLE. */
  acquire(): Promise<Connection>;
  /** Closes and stays closed until `acquire`. */
  stop(): Promise<void>;
}

/** A connection that lived this long had started well, so its back-off begins anew. */
const stableMs = 30_000;

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

  function moveTo(next: ReplicaState): void {
    state = next;
    options.onChange();
  }

  function scheduleRetry(): void {
    moveTo('waiting');
    const delayMs = backoffMs(failures, options.backoff);
    failures += 1;
    cancelRetry = clock.after(delayMs, () => {
      cancelRetry = undefined;
      restarts += 1;
      open().catch(() => {});
    });
  }

  function onBreak(broken: Connection | undefined, error: Error): void {
    if (broken !== undefined && broken !== connection) return;
    connection = undefined;
    reason = messageOf(error);
    if (clock.now() - openedAtMs >= stableMs) failures = 0;
    if (options.lazy) moveTo('sleeping');
    else scheduleRetry();
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
        if (connection === fresh) moveTo('ready');
        return fresh;
      },
      (error: unknown) => {
        opening = undefined;
        reason = problemOf(error);
        if (born === generation) {
          if (options.lazy) moveTo('sleeping');
          else scheduleRetry();
        }
        throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem: reason }, { cause: error });
      },
    );
    return opening;
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
    get connection() {
      return connection;
    },
    async acquire() {
      if (connection) return connection;
      // A call does not jump the back-off: a server that keeps failing answers at once with its reason.
      if (state === 'waiting') {
        throw new AppError('UPSTREAM_UNAVAILABLE', {
          server,
          problem: `restarting after: ${reason ?? 'a failure'}`,
        });
      }
      return await open();
    },
    async stop() {
      generation += 1;
      attempt.abort();
      attempt = new AbortController();
      cancelRetry?.();
      cancelRetry = undefined;
      const live = connection;
      connection = undefined;
      failures = 0;
      const rest = options.lazy ? 'sleeping' : 'stopped';
      moveTo(rest);
      await opening?.catch(() => {});
      if (live) {
        closing = live
          .close()
          .catch(() => {})
          .finally(() => {
            closing = undefined;
          });
      }
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
