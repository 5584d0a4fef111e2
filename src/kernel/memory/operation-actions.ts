/** Which action each operation of the memory is, over every edge. */

import type { Action } from '../actions.ts';
import type { MemoryOperation } from './operations.ts';

/** An operation that is new has to say what it is before this compiles. */
export const operationActions = {
  retrieve: 'memory:read',
  list: 'memory:read',
  search: 'memory:read',
  history: 'memory:read',
  diff: 'memory:read',
  links: 'memory:read',
  changes: 'memory:read',
  conflicts: 'memory:read',
  stats: 'memory:read',
  store: 'memory:write',
  store_many: 'memory:write',
  append: 'memory:write',
  increment: 'memory:write',
  restore: 'memory:write',
  resolve: 'memory:write',
  snapshot: 'memory:write',
  workspace: 'memory:write',
  delete: 'memory:delete',
  forget: 'memory:forget',
  rekey: 'memory:rekey',
  backup: 'memory:backup',
  verify: 'memory:verify',
  reindex: 'memory:reindex',
  sync: 'memory:sync',
} as const satisfies Record<MemoryOperation, Action>;
