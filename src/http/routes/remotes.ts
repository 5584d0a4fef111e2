/** /api/v1/memory-remotes: list, add, remove. */

import type { RemoteEntry, remoteRoutes as routes } from '../../contract/rest/remote-routes.ts';
import type { MemoryClient } from '../../kernel/memory/operations.ts';
import type { RouteHandlers } from '../serve-routes.ts';

/** Remotes that come and go while the coordinator runs; kept so that they are there after a restart. */
export interface RemoteRegistry {
  /** Throws INVALID_INPUT or CONFIG_INVALID for what cannot be a remote, FORBIDDEN for a host it may not reach. */
  add(name: string, entry: RemoteEntry): Promise<void>;
  /** What it was. Throws NOT_FOUND, and INVALID_INPUT for one of the config. */
  remove(name: string): Promise<RemoteEntry>;
}

export interface RemotesDependencies {
  readonly memory: MemoryClient;
  readonly registry: RemoteRegistry;
  readonly nextRequestId: () => string;
}

export function remotesRoutes({
  memory,
  registry,
  nextRequestId,
}: RemotesDependencies): Pick<RouteHandlers, keyof typeof routes> {
  const status = (remote?: string) =>
    memory.call(
      'sync',
      { action: 'status', ...(remote !== undefined && { remote }) },
      { actor: 'rest', agent: 'rest', requestId: nextRequestId() },
    );
  return {
    remotesList: () => status(),
    async remotesAdd({ body }) {
      await registry.add(body.name, body.entry);
      return status(body.name);
    },
    async remotesRemove({ params }) {
      return { removed: params.name, entry: await registry.remove(params.name) };
    },
  };
}
