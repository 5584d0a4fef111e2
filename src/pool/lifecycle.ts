/** Start, stop, restart and quarantine of an instance, by hand or by the pool; what breaks by itself is the replica's. */

import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Standing } from './instance-state.ts';
import type { ReplicaSet } from './replica-set.ts';
import type { Rest } from './rest.ts';

export interface Lifecycle {
  /** Gets no calls, whatever the state of its replicas. */
  readonly isOut: boolean;
  /** It may run, and nobody is restarting it. */
  readonly isSteady: boolean;
  /** The state that someone has put it in; undefined while its replicas say how it is. */
  readonly standing: Standing | undefined;
  /** Throws UPSTREAM_UNAVAILABLE when it may not run; a promise to wait for while it is restarted by hand. */
  admit(): Promise<unknown> | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  retire(drains: boolean): Promise<void>;
  /** One that is `held` comes back by `release` only, else by a start, too. */
  quarantine(reason: string, held: boolean): Promise<void>;
  /** Ends a quarantine; a lazy one sleeps until it is called. */
  release(): Promise<void>;
  readonly isHeld: boolean;
}

export interface LifecycleOptions {
  readonly server: string;
  readonly lazy: boolean;
  readonly logger: Logger;
  readonly replicas: ReplicaSet;
  readonly rest: Rest;
  /** Time that calls under way get, milliseconds. */
  readonly drainMs: number;
  readonly isQuiet: () => boolean;
  /** Ends the connections that belong to clients. */
  readonly closeOwn: (drains: boolean) => Promise<void>;
  /** It comes into the shared lists, or goes. */
  readonly onListed: (isListed: boolean) => void;
  readonly onChange: () => void;
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { server, replicas, rest, isQuiet, onChange } = options;
  const { members } = replicas;
  let isStopped = false;
  let isRetired = false;
  let quarantinedFor: string | undefined;
  let isHeld = false;
  let stopping: Promise<unknown> | undefined;
  let restarting: Promise<void> | undefined;

  /** Resolves when no call is under way any more, or after `drainMs`. */
  async function drain(drainMs: number): Promise<void> {
    if (isQuiet() || drainMs === 0) return;
    for (const member of members) member.isDraining = true;
    onChange();
    await rest.quiet(isQuiet, drainMs);
    for (const member of members) member.isDraining = false;
  }

  async function close(drainMs: number): Promise<void> {
    rest.cancel();
    const closingOwn = options.closeOwn(drainMs > 0);
    await drain(drainMs);
    const replicasClosed = members.map(({ replica }) => replica.stop());
    await Promise.all([closingOwn, replicas.endLeaving(), ...replicasClosed]);
    onChange();
  }

  async function open(): Promise<void> {
    await Promise.all(members.map(({ replica }) => replica.acquire()));
  }

  async function stop(drainMs: number): Promise<void> {
    isStopped = true;
    options.onListed(false);
    stopping = close(drainMs);
    await stopping;
  }

  function assertMayRun(): void {
    if (!isStopped && !isRetired) return;
    const start = `${isHeld ? 'let it back in' : 'start it'} with: git-memory-mcp servers ${isHeld ? 'release' : 'start'} ${server}`;
    let problem = `it is stopped; ${start}`;
    if (quarantinedFor !== undefined) problem = `it is in quarantine (${quarantinedFor}); ${start}`;
    if (isRetired) problem = 'it was removed';
    throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem });
  }

  /** It may run again. */
  async function admitAgain(): Promise<void> {
    if (isHeld) assertMayRun();
    if (isStopped) await stopping;
    const wasStopped = isStopped;
    isStopped = false;
    quarantinedFor = undefined;
    assertMayRun();
    if (wasStopped) options.onListed(true);
    onChange();
  }

  async function start(): Promise<void> {
    await admitAgain();
    await open();
  }

  async function reopen(): Promise<void> {
    await close(options.drainMs);
    assertMayRun();
    await open();
  }

  return {
    get isOut() {
      return isStopped || isRetired;
    },
    get isSteady() {
      return !isStopped && !isRetired && restarting === undefined;
    },
    get standing(): Standing | undefined {
      if (quarantinedFor !== undefined) return { state: 'quarantined', reason: quarantinedFor };
      const isDraining = members.some((member) => member.isDraining);
      return isStopped && !isDraining ? { state: 'stopped', reason: undefined } : undefined;
    },
    admit() {
      assertMayRun();
      return restarting?.catch(() => {});
    },
    start,
    stop: () => stop(options.drainMs),
    async restart() {
      if (isStopped || isRetired) return await start();
      restarting ??= reopen().finally(() => {
        restarting = undefined;
        onChange();
      });
      await restarting;
    },
    async retire(drains) {
      isRetired = true;
      for (const member of [...members, ...replicas.leaving]) member.close();
      await stop(drains ? options.drainMs : 0);
    },
    get isHeld() {
      return isHeld;
    },
    async release() {
      if (quarantinedFor === undefined) return;
      isHeld = false;
      await (options.lazy ? admitAgain() : start());
    },
    async quarantine(reason, held) {
      quarantinedFor = reason;
      isHeld = held;
      options.logger.error({ server, reason }, 'server put into quarantine');
      await stop(0);
    },
  };
}
