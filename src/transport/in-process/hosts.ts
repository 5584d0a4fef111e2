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
  /** Opens a light instance on the least loaded host. Rejects UPSTREAM_UNAVAILABLE when its module or settings are refused. */
  connect(spec: InProcessSpec, events: ConnectionEvents): Promise<Connection>;
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

  function leastLoaded(): Host {
    for (const dead of hosts.filter((host) => !host.isAlive)) hosts.splice(hosts.indexOf(dead), 1);
    const free = hosts.filter(({ isBlocked }) => !isBlocked);
    const best = free.reduce<Host | undefined>(
      (a, b) => (a === undefined || b.load < a.load ? b : a),
      undefined,
    );
    if (best && (best.load === 0 || free.length >= options.count)) return best;
    return add();
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
    async connect(spec, events) {
      if (isDisposed) throw new AppError('SHUTTING_DOWN');
      const module = spec.module.startsWith('file:') ? spec.module : pathToFileURL(spec.module).href;
      return await connectInProcess(
        leastLoaded(),
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
