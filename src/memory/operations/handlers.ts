/** The operations of the table, a group a file. */

import { createBackupHandlers } from './backup-handlers.ts';
import { createWorkspaceRefs } from '../workspaces/workspace-refs.ts';
import { createWorkspaceValues } from '../workspaces/workspace-values.ts';
import { createChangeHandlers } from './change-handlers.ts';
import { createConflictHandlers } from './conflict-handlers.ts';
import type { HandlerParts, MemoryHandlers } from './handler-parts.ts';
import { createLinkHandlers } from './link-handlers.ts';
import { createPrivacyHandlers } from './privacy-handlers.ts';
import { createSearchHandlers } from './search-handlers.ts';
import { createSyncHandlers } from './sync-handlers.ts';
import { createValueHandlers } from './value-handlers.ts';
import { createVersionHandlers } from './version-handlers.ts';
import { createWorkspaceHandlers } from './workspace-handlers.ts';

/** The handlers of all operations. */
export function createHandlers(parts: HandlerParts): MemoryHandlers {
  const refs = createWorkspaceRefs(parts.git, parts.clock);
  const workspaces = createWorkspaceValues(parts, refs);
  return {
    ...createValueHandlers(parts, workspaces),
    ...createVersionHandlers(parts),
    ...createBackupHandlers(parts),
    ...createSearchHandlers(parts, workspaces),
    ...createChangeHandlers(parts),
    ...createLinkHandlers(parts),
    ...createWorkspaceHandlers(parts, refs),
    ...createSyncHandlers(parts),
    ...createConflictHandlers(parts),
    ...createPrivacyHandlers(parts),
  };
}
