/** /api/v1/registrations, /api/v1/discovery, /api/v1/server-changes and /api/v1/config. */

import type { ReloadReport } from '../../contract/rest/config-routes.ts';
import type { RouteAnswer, RouteHandlers } from '../serve-routes.ts';

interface Lease {
  readonly lease: string;
  readonly expiresAtMs: number;
}

/** What the routes need of discovery and of the config; the composition root has both. */
export interface DiscoveryDependencies {
  readonly registrations: {
    register(
      registration: { name: string; url: string; ttlSeconds: number; category?: string; title?: string },
      lease?: string,
    ): Promise<Lease>;
    heartbeat(name: string, lease: string): Lease;
    end(name: string, lease: string): Promise<void>;
  };
  readonly discovery: () => RouteAnswer<'discovery'>;
  readonly newestChanges: (limit: number) => Promise<RouteAnswer<'serverChanges'>['changes']>;
  readonly reload: () => Promise<ReloadReport>;
}

const defaultTtlSeconds = 30;

function toAnswer({ lease, expiresAtMs }: Lease): RouteAnswer<'registrationsHeartbeat'> {
  return { lease, expiresAt: new Date(expiresAtMs).toISOString() };
}

export function discoveryRoutes(
  deps: DiscoveryDependencies,
): Pick<
  RouteHandlers,
  | 'registrationsCreate'
  | 'registrationsHeartbeat'
  | 'registrationsEnd'
  | 'discovery'
  | 'serverChanges'
  | 'configReload'
> {
  const { registrations } = deps;
  return {
    async registrationsCreate({ body }) {
      const { lease, ttlSeconds = defaultTtlSeconds, ...registration } = body;
      const given = await registrations.register({ ...registration, ttlSeconds }, lease);
      return { name: body.name, ...toAnswer(given) };
    },
    async registrationsHeartbeat({ params, body }) {
      return toAnswer(registrations.heartbeat(params.name, body.lease));
    },
    async registrationsEnd({ params, body }) {
      await registrations.end(params.name, body.lease);
      return { ended: params.name };
    },
    async discovery() {
      return deps.discovery();
    },
    async serverChanges({ query }) {
      return { changes: await deps.newestChanges(query.limit ?? 100) };
    },
    configReload: () => deps.reload(),
  };
}
