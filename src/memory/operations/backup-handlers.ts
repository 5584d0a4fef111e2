/** Operations that keep the memory safe. */

import type { HandlerParts, MemoryHandlers } from './handler-parts.ts';

type BackupHandlers = Pick<MemoryHandlers, 'backup' | 'verify' | 'reindex'>;

/** Their handlers. */
export function createBackupHandlers(parts: HandlerParts): BackupHandlers {
  const { backups, verifier, gate, loop, index, clock } = parts;
  return {
    backup: ({ action }) => (action === 'list' ? backups.list() : backups.create()),

    verify: async (input) => (input.action === 'status' ? verifier.status() : verifier.run(input)),

    reindex: () =>
      // A reader would miss what is not in yet, and a write would take it for absent.
      gate.alone(async () => {
        const startedMs = performance.now();
        await loop.reindex();
        const keys = index.rows.sizes(clock.now()).reduce((sum, scope) => sum + scope.keys, 0);
        const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(3));
        return { keys, versions: index.rows.versions.count, seconds };
      }),
  };
}
