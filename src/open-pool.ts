/** Transports below, pool above. Part of the composition root, like `coordinator.ts`. */

import { join } from 'node:path';
import type { PluginParts } from './catalog/load-plugins.ts';
import type { Config } from './config/schema.ts';
import { systemClock } from './kernel/clock.ts';
import type { Logger } from './kernel/log.ts';
import type { MemoryInput, MemoryOperation } from './kernel/memory/operations.ts';
import { createListingStore } from './listing-store.ts';
import type { Memory } from './memory/open-memory.ts';
import type { Meters } from './metrics/create-meters.ts';
import { type ConnectDependencies, createConnect } from './pool/connect.ts';
import type { InstanceDependencies } from './pool/instance-types.ts';
import { createPool, type Pool } from './pool/pool.ts';
import type { TenantStore } from './store/tenant-store.ts';
import { createHosts, type Hosts } from './transport/in-process/hosts.ts';
import { createProcessLedger } from './transport/process-ledger.ts';

export interface OpenPoolOptions extends Pick<InstanceDependencies, 'admit'> {
  readonly config: Config;
  /** Absolute. */
  readonly dataDir: string;
  readonly memory: Memory;
  readonly store: TenantStore;
  readonly plugins: PluginParts;
  readonly meters: Meters;
  readonly logger: Logger;
  /** Takes known secrets out of what servers write to standard error. */
  readonly redact: (line: string) => string;
  readonly credentials: ConnectDependencies['credentials'];
}

/** What a killed coordinator left behind is ended first. */
export async function openPool(
  parts: AsyncDisposableStack,
  options: OpenPoolOptions,
): Promise<{ pool: Pool; hosts: Hosts }> {
  const { config, dataDir, memory, store, plugins, admit, meters, logger, redact, credentials } = options;
  const ledger = parts.use(createProcessLedger(join(dataDir, 'processes')));
  const reaped = await ledger.reapOrphans();
  if (reaped > 0) logger.warn({ processes: reaped }, 'ended processes that a former coordinator left behind');
  const hosts = parts.use(
    createHosts({
      count: config.hosts,
      logger,
      memory: (operation, input, caller) =>
        memory.call(operation, input as MemoryInput<MemoryOperation>, caller),
      onMemoryChange: (listener) => memory.onChange(listener),
    }),
  );
  const pool = parts.use(
    createPool({
      connect: createConnect({ hosts, ledger, logger, dataDir, redact, credentials }),
      listings: createListingStore(store),
      admit,
      clock: systemClock,
      logger,
      requestTimeoutMs: config.limits.requestTimeoutMs,
      drainMs: config.limits.drainMs,
      health: config.health,
      scaleByHand: (id) => store.scaleBounds.get(id),
      onIncident: meters.incidents.note,
      policies: { makers: plugins.policies, logger },
    }),
  );
  return { pool, hosts };
}
