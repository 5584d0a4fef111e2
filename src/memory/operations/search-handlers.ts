/** Operations that look over many memories. */

import { repositorySize } from '../git/repository-size.ts';
import type { WorkspaceValues } from '../workspaces/workspace-values.ts';
import type { HandlerParts, MemoryHandlers } from './handler-parts.ts';

/** Their handlers. */
export function createSearchHandlers(
  parts: HandlerParts,
  workspaces: WorkspaceValues,
): Pick<MemoryHandlers, 'search' | 'stats'> {
  const { git, index, searcher, quotas, loop, clock, settleHistory } = parts;
  return {
    async search({ workspace, ...input }) {
      if (workspace !== undefined) return workspaces.search(workspace, input);
      if (input.at === undefined) await index.caughtUp();
      else await settleHistory();
      return searcher.search({ ...input, nowMs: clock.now() });
    },

    async stats() {
      await index.caughtUp();
      const scopes = index.rows.sizes(clock.now()).map((one) => ({ ...one, ...quotas.limitsOf(one.scope) }));
      return {
        keys: scopes.reduce((sum, one) => sum + one.keys, 0),
        bytes: scopes.reduce((sum, one) => sum + one.bytes, 0),
        commits: Number(index.rows.getMeta('commits') ?? 0),
        head: index.rows.getMeta('head'),
        journalPending: loop.pendingCount,
        textPending: index.textBacklog,
        repositoryBytes: await repositorySize(git.repositoryDir),
        scopes,
      };
    },
  };
}
