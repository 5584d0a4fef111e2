/** Built-in servers in worker threads: thousands of light instances on a few hosts that may crash without us. */

import { pathToFileURL } from 'node:url';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import type { MemoryChangeNotice } from '../../kernel/define-server.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Connection, ConnectionEvents } from '../connection.ts';
import { guardEvents } from '../protocol/guard-events.ts';
import { connectInProcess, type InProcessSpec } from './connect-in-process.ts';
import { createHost, type Host, type RunMemory } from './host.ts';

export interface Hosts extends AsyncDisposable {
  /** Opens a light instance where there is least to do. Rejects UPSTREAM_UNAVAILABLE when its module or settings are refused. */
  connect(spec: InProcessSpec, events: ConnectionEvents): Promise<Connection>;
  /** The threads as they are now. */
  census(): readonly HostLoad[];
}

/** What a host thread has to do. */
export type HostLoad = Pick<Host, 'connections' | 'utilization'>;

/**
 * The host for the next instance, of those that take any: what its thread does, measured, and what its instances may
 * yet ask of it, which is taken to be the same for each, count alike. So instances spread evenly while nothing happens,
 * as at a start, and away from a busy thread later.
 */
export function leastLoaded<H extends HostLoad>(hosts: readonly H[]): H | undefined {
  const all = Math.max(
    1,
    hosts.reduce((sum, { connections }) => sum + connections, 0),
  );
  const loadOf = ({ connections, utilization }: HostLoad) => connections / all + utilization;
  return hosts.reduce<H | undefined>((a, b) => (a === undefined || loadOf(b) < loadOf(a) ? b : a), undefined);
}

/** Threads are started by the first connections, and replaced when they died. */
export function createHosts(options: {
  /** Number of worker threads. */
  count: number;
  logger: Logger;
  memory: RunMemory;
  /** Hears of changes of the shared memory; returns the way to stop. */
  onMemoryChange?: (listener: (change: MemoryChangeNotice) => void) => () => void;
  clock?: Clock;
}): Hosts {
  const { logger, memory, clock = systemClock } = options;
  const hosts: Host[] = [];
  let isDisposed = false;
  const deaf = options.onMemoryChange?.(({ scope, key, position }) => {
    for (const host of hosts) host.memoryChanged({ scope, key, ...(position !== undefined && { position }) });
  });

  function pick(): Host {
    for (const dead of hosts.filter((host) => !host.isAlive)) hosts.splice(hosts.indexOf(dead), 1);
    const free = hosts.filter(({ isBlocked }) => !isBlocked);
    const unused = free.find(({ connections }) => connections === 0);
    if (unused) return unused;
    return (free.length >= options.count ? leastLoaded(free) : undefined) ?? add();
  }

  function add(): Host {
    // The next one is up before its instances reconnect.
    const onCrash = () => {
      if (!isDisposed) add();
    };
    const host = createHost({ logger, memory, onCrash });
    hosts.push(host);
    return host;
  }

  return {
    census: () => hosts.filter(({ isAlive }) => isAlive),
    async connect(spec, events) {
      if (isDisposed) throw new AppError('SHUTTING_DOWN');
      const module = spec.module.startsWith('file:') ? spec.module : pathToFileURL(spec.module).href;
      return await connectInProcess(
        pick(),
        { ...spec, module },
        guardEvents(spec.server, events, logger),
        clock,
      );
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      deaf?.();
      await Promise.all(hosts.map((host) => host.terminate()));
    },
  };
}
