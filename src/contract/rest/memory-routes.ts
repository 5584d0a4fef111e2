/** Routes of the memory; their shapes come from the operations table. */

import { z } from 'zod';
import { type MemoryOperation, memoryOperations } from '../../kernel/memory/operations.ts';
import { operationActions } from '../../kernel/memory/operation-actions.ts';
import { defineRoute } from '../define-route.ts';

/** A query that names one tag carries text, not a list. */
const memoryListQuery = memoryOperations.list.input.extend({
  tags: z.preprocess(
    (tags) => (typeof tags === 'string' ? [tags] : tags),
    memoryOperations.list.input.shape.tags,
  ),
});

/** An operation that takes its whole input as the body. */
function post<const Op extends MemoryOperation>(operation: Op, summary: string) {
  const row: Pick<(typeof memoryOperations)[Op], 'input' | 'output'> = memoryOperations[operation];
  return {
    operation,
    ...defineRoute({
      method: 'POST',
      path: `/api/v1/memory-${operation.replaceAll('_', '-')}`,
      summary,
      body: row.input,
      response: row.output,
      action: operationActions[operation],
    }),
  };
}

/** Operations that are `POST /api/v1/memory-<operation>`. */
export const memoryPostRoutes = {
  memorySearch: post('search', 'Searches memories.'),
  memoryHistory: post('history', 'Versions of a memory.'),
  memoryDiff: post('diff', 'Compares two versions of a memory.'),
  memoryRestore: post('restore', 'Restores a version of a memory, of all under a prefix, or of all.'),
  memoryStoreMany: post('store_many', 'Stores up to 1,000 memories, all or none.'),
  memoryAppend: post('append', 'Adds to the end of a text or a list.'),
  memoryIncrement: post('increment', 'Adds to a number.'),
  memoryLinks: post('links', 'Links and backlinks of a memory, and what they lead to.'),
  memoryConflicts: post('conflicts', 'Lists keys that replicas changed in ways that could not both be kept.'),
  memoryResolve: post('resolve', 'Decides the conflicts of a memory.'),
  memorySnapshot: post('snapshot', 'Creates, lists or deletes snapshots.'),
  memoryBackup: post('backup', 'Makes a backup, or lists the backups.'),
  memoryVerify: post('verify', 'Checks the memory from end to end.'),
  memoryReindex: post('reindex', 'Builds the index anew.'),
  memoryWorkspace: post('workspace', 'Creates, lists, compares, merges or drops workspaces.'),
  memoryForget: post(
    'forget',
    'Forgets memories: deletes them, destroys the key of a subject, or rewrites the history.',
  ),
  memoryRekey: post('rekey', 'Encrypts present values under the present keys of their scopes.'),
  memorySync: post('sync', 'Exchanges memories with Git remotes, or says how it stands.'),
} as const;

/** All routes of the memory. */
export const memoryRoutes = {
  memoryRetrieve: defineRoute({
    method: 'GET',
    path: '/api/v1/memory/:scope/*',
    action: 'memory:read',
    summary: 'Reads a memory; the rest of the path is the key.',
    query: memoryOperations.retrieve.input.pick({ at: true, workspace: true }),
    response: memoryOperations.retrieve.output,
  }),
  memoryStore: defineRoute({
    method: 'PUT',
    path: '/api/v1/memory/:scope/*',
    action: 'memory:write',
    summary: 'Stores a memory; the rest of the path is the key.',
    body: memoryOperations.store.input.omit({ key: true, scope: true }),
    response: memoryOperations.store.output,
  }),
  memoryDelete: defineRoute({
    method: 'DELETE',
    path: '/api/v1/memory/:scope/*',
    action: 'memory:delete',
    summary: 'Deletes a memory; its history stays.',
    query: memoryOperations.delete.input.pick({ ifMatch: true, workspace: true }),
    response: memoryOperations.delete.output,
  }),
  memoryList: defineRoute({
    method: 'GET',
    path: '/api/v1/memory',
    action: 'memory:read',
    summary: 'Lists memories.',
    query: memoryListQuery,
    response: memoryOperations.list.output,
  }),
  memoryStats: defineRoute({
    method: 'GET',
    path: '/api/v1/memory-stats',
    action: 'memory:read',
    summary: 'Counts keys, bytes and commits.',
    response: memoryOperations.stats.output,
  }),
  memoryChanges: defineRoute({
    method: 'GET',
    path: '/api/v1/memory-changes',
    action: 'memory:read',
    summary: 'Changes since a position; with `Accept: text/event-stream` as a stream.',
    query: memoryOperations.changes.input,
    response: memoryOperations.changes.output,
  }),
  ...memoryPostRoutes,
} as const;
