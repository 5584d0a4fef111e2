/** Operations on the Git remotes of the memory. */

import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import type { RemoteStatus, Remotes } from '../sync/remotes.ts';
import type { MemoryHandlers } from './handler-parts.ts';
import { isoTime } from './place.ts';

type Row = MemoryOutput<'sync'>['remotes'][number];

const defaultWaitSeconds = 30;

/** Their handlers. */
export function createSyncHandlers({ remotes }: { readonly remotes: Remotes }): Pick<MemoryHandlers, 'sync'> {
  return {
    async sync({ action, remote, waitSeconds = defaultWaitSeconds }) {
      const rows =
        action === 'status' ? await remotes.status(remote) : await remotes.sync(remote, waitSeconds * 1000);
      return { remotes: rows.map(toRow) };
    },
  };
}

function toRow(status: RemoteStatus): Row {
  const { name, source, url, branch, direction, ahead, behind, notes, lastRound } = status;
  const { lastSuccessMs, lastError, failures, nextMs } = status;
  return {
    name,
    source,
    url,
    branch,
    direction,
    state: stateOf(status),
    ahead,
    behind,
    ...(lastRound && {
      pulled: lastRound.isPulled,
      pushed: lastRound.isPushed,
      conflicts: lastRound.conflicts,
    }),
    lastSuccessAt: lastSuccessMs === undefined ? null : isoTime(lastSuccessMs),
    lastError: lastError ? { at: isoTime(lastError.atMs), message: lastError.message, failures } : null,
    nextAt: nextMs === undefined ? null : isoTime(nextMs),
    notes: [...notes],
  };
}

function stateOf({ isRunning, lastError, lastSuccessMs }: RemoteStatus): Row['state'] {
  if (isRunning) return 'running';
  if (lastError) return 'failing';
  return lastSuccessMs === undefined ? 'new' : 'ok';
}
