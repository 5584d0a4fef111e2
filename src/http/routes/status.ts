/** /api/v1/status and /api/v1/shutdown. */

import type { ConfigStatus } from '../../contract/rest/config-routes.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { MemoryClient } from '../../kernel/memory/operations.ts';
import type { Pool } from '../../pool/pool.ts';
import type { RouteHandlers } from '../serve-routes.ts';

export interface StatusDependencies {
  readonly pool: Pool;
  readonly gateway: Gateway;
  readonly memory: MemoryClient;
  readonly version: string;
  readonly config: () => ConfigStatus;
  readonly dataDir: string;
  readonly store: { readonly kind: 'sqlite' | 'postgresql'; readonly at: string };
  readonly startedAtMs: number;
  readonly baseUrl: () => string;
  /** Begins to stop; the answer is sent before. */
  readonly stop: () => void;
}

export function statusRoutes(deps: StatusDependencies): Pick<RouteHandlers, 'status' | 'shutdown'> {
  return {
    async status() {
      const byState: Record<string, number> = {};
      const instances = deps.pool.instances();
      for (const { state } of instances) byState[state] = (byState[state] ?? 0) + 1;
      return {
        version: deps.version,
        pid: process.pid,
        startedAt: new Date(deps.startedAtMs).toISOString(),
        uptimeSeconds: Math.round((Date.now() - deps.startedAtMs) / 1000),
        endpoint: `${deps.baseUrl()}/mcp`,
        dataDir: deps.dataDir,
        store: deps.store,
        rssBytes: process.memoryUsage.rss(),
        sessions: deps.gateway.sessions.size,
        servers: { total: instances.length, byState },
        config: deps.config(),
        memory: await deps.memory.call('stats', {}, { actor: 'coordinator', agent: 'coordinator' }),
      };
    },
    async shutdown() {
      setImmediate(deps.stop);
      return { stopping: true };
    },
  };
}
