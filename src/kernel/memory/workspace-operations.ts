/** The row of the memory's operations table for workspaces: branches to try something in. */

import { z } from 'zod';
import { atShape, etagShape, keyEcho, scopeEcho, workspaceNameShape } from './shapes.ts';

const workspaceShape = z.object({
  name: z.string().describe('Name; pass it as "workspace" to store, retrieve, list, delete and search.'),
  commit: z.string().describe('Where it is now.'),
  ahead: z.number().int().describe('Commits that main has not; 0 when there is nothing to merge.'),
  behind: z.number().int().describe('Commits of main that it has not.'),
  changed: z.number().int().describe('Memories that it changed since it left main.'),
  updatedAt: z.string().describe('ISO 8601 time of its last commit, to the second.'),
  actor: z.string().describe('Who made that commit.'),
  stale: z.boolean().describe('True after 30 days without a change; nothing is deleted by itself.'),
});

/** Operations on workspaces, by name. */
export const memoryWorkspaceOperations = {
  workspace: {
    title: 'Workspaces of the memory',
    description:
      'Try changes aside and merge or drop them: create a workspace (of the present state or of a version), pass its name as "workspace" to memory_store, memory_retrieve, memory_list, memory_delete and memory_search, look at "diff", then "merge" it into the memory (all or nothing) or "drop" it. A merge with conflicts is refused unless you give a strategy.',
    input: z
      .strictObject({
        action: z
          .enum(['create', 'list', 'diff', 'merge', 'drop', 'undrop'])
          .describe('What to do; undrop brings back what was dropped in the last 30 days.'),
        name: workspaceNameShape.optional(),
        from: atShape
          .optional()
          .describe('create: the version to begin with; the present state when absent.'),
        strategy: z
          .enum(['auto', 'latest', 'ours', 'theirs'])
          .optional()
          .describe(
            'merge: what to do where both sides changed a memory. auto: by field and line; latest: the newer; ours: the memory as it is; theirs: the workspace. What loses is kept as a conflict. Without it a merge with conflicts is refused.',
          ),
        force: z.boolean().optional().describe('drop: also when it has changes that are not merged.'),
      })
      .refine(({ action, name }) => (action === 'list') === (name === undefined), {
        error: 'every action but list needs a name, list takes none',
        path: ['name'],
      })
      .refine(({ action, from }) => from === undefined || action === 'create', {
        error: 'goes with create only',
        path: ['from'],
      })
      .refine(({ action, strategy }) => strategy === undefined || action === 'merge', {
        error: 'goes with merge only',
        path: ['strategy'],
      }),
    output: z.object({
      workspaces: z.array(workspaceShape).describe('The one asked about, or all by name.'),
      changes: z
        .array(
          z.object({
            scope: scopeEcho,
            key: keyEcho,
            change: z.enum(['added', 'changed', 'deleted']).describe('What the workspace did to it.'),
            before: etagShape.nullable().describe('Etag where the workspace left main; null if absent.'),
            after: etagShape.nullable().describe('Etag in the workspace; null if deleted.'),
            changedInMain: z
              .boolean()
              .describe('True when main has changed it otherwise since then: a merge has to decide.'),
          }),
        )
        .optional()
        .describe('diff: what a merge would bring, by scope and key.'),
      omitted: z.number().int().optional().describe('diff: changes beyond the 1,000 that are shown.'),
      merged: z
        .object({
          kind: z
            .enum(['up-to-date', 'fast-forward', 'merged'])
            .describe('Nothing to do, main moved to the workspace, or a merge commit.'),
          head: z.string().describe('Main afterwards.'),
          conflicts: z
            .array(
              z.object({
                scope: scopeEcho.optional(),
                key: keyEcho.optional(),
                path: z.string().describe('File in the repository.'),
                kind: z.string().describe('Kind of the conflict.'),
              }),
            )
            .describe('Recorded conflicts, with the strategy that was given.'),
        })
        .optional()
        .describe('merge: what became of it.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  },
} as const;
