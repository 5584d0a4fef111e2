/** /api/v1/deployments: deploy and take out phases, their state and reports. */

import type { Deployer } from '../../fleet/deployer.ts';
import type { RouteHandlers } from '../serve-routes.ts';

export function deploymentsRoutes(
  deployer: Deployer,
): Pick<RouteHandlers, 'deploymentsList' | 'deploymentsDeploy' | 'deploymentsUndeploy'> {
  return {
    async deploymentsList({ query }) {
      return { phases: deployer.status(), reports: await deployer.reports(query.limit ?? 50) };
    },
    async deploymentsDeploy({ body: { phase, dryRun } }) {
      if (phase === undefined) return { reports: await deployer.deployAll(dryRun) };
      return { reports: [await deployer.deploy(phase, dryRun)] };
    },
    async deploymentsUndeploy({ params, body }) {
      return await deployer.undeploy(params.phase, body.dryRun);
    },
  };
}
