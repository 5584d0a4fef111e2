/** Deployment put together: what it brings to the pool goes through the roster. Part of the composition root. */

import { builtInServers } from './catalog/built-in-servers.ts';
import { createPhasePlanner } from './catalog/phases.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { type Deployer, openDeployer } from './fleet/deployer.ts';
import { messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import type { Pool } from './pool/pool.ts';
import { placeOf } from './server-reconcile.ts';
import type { ServerRoster } from './server-roster.ts';
import type { TenantStore } from './store/tenant-store.ts';

export interface DeploymentOptions {
  readonly loaded: LoadedConfig;
  readonly pool: Pool;
  readonly store: TenantStore;
  readonly logger: Logger;
  /** Asked when the roster is there. */
  readonly roster: () => ServerRoster;
}

/** Reads what is deployed; the roster takes it from there. */
export function openDeployment({
  loaded,
  pool,
  store,
  logger,
  roster,
}: DeploymentOptions): Promise<Deployer> {
  return openDeployer({
    pool,
    store: store.deployments,
    planner: () => createPhasePlanner(builtInServers, roster().config.builtIn, roster().config.health),
    probes: new Map(
      builtInServers.flatMap(({ definition: { name, probe } }) => (probe ? [[name, probe]] : [])),
    ),
    async apply() {
      const { failures } = await roster().sync();
      return [
        ...failures.map(({ offer, error }) => ({ id: offer.id, problem: messageOf(error) })),
        ...roster().conflicts.map(({ claimant, winner }) => ({
          id: claimant.id,
          problem: `${placeOf(winner)} has a server of this id`,
        })),
      ];
    },
    drained: (id) => roster().drained(id),
    concurrency: loaded.config.limits.startConcurrency,
    logger,
  });
}
