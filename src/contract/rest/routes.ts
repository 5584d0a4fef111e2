/** The REST API under /api/v1, a group of routes a file. */

import { z } from 'zod';
import { auditRoutes } from './audit-routes.ts';
import { bulkRoutes } from './bulk-routes.ts';
import { bundleRoutes } from './bundle-routes.ts';
import { configRoutes } from './config-routes.ts';
import { deploymentRoutes } from './deployment-routes.ts';
import { discoveryRoutes } from './discovery-routes.ts';
import { limitRoutes } from './limit-routes.ts';
import { memoryRoutes } from './memory-routes.ts';
import { remoteRoutes } from './remote-routes.ts';
import { pinRoutes } from './pin-routes.ts';
import { policyRoutes } from './policy-routes.ts';
import { secretRoutes } from './secret-routes.ts';
import { scaleRoutes } from './scale-routes.ts';
import { serverRoutes } from './server-routes.ts';
import { statusRoutes } from './status-routes.ts';
import { toolRoutes } from './tool-routes.ts';

/** Every route by name. */
export const routes = {
  ...statusRoutes,
  ...serverRoutes,
  ...scaleRoutes,
  ...bulkRoutes,
  ...deploymentRoutes,
  ...discoveryRoutes,
  ...configRoutes,
  ...limitRoutes,
  ...auditRoutes,
  ...toolRoutes,
  ...bundleRoutes,
  ...pinRoutes,
  ...memoryRoutes,
  ...remoteRoutes,
  ...policyRoutes,
  ...secretRoutes,
} as const;

export type RouteName = keyof typeof routes;

/** RFC 9457 problem details with our code, the error's data and its log id. */
export const problemShape = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  id: z.string(),
  data: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof problemShape>;
