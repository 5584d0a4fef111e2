/** The rows of the memory's operations table about Git remotes. */

import { z } from 'zod';

const timeShape = z.string().describe('ISO 8601 time.');

const remoteShape = z.object({
  name: z.string().describe('Name of the remote.'),
  source: z
    .enum(['config', 'added'])
    .describe('Whether the configuration names it, or it was added while a coordinator ran.'),
  url: z.string().describe('Where it is, without anything secret.'),
  branch: z.string().describe('Branch of the remote that holds the memory.'),
  direction: z.enum(['both', 'pull', 'push']).describe('Which way memories go.'),
  state: z
    .enum(['ok', 'failing', 'running', 'new'])
    .describe('running: not over yet. failing: see lastError. new: nothing has happened yet.'),
  ahead: z
    .number()
    .int()
    .nullable()
    .describe('Commits that the remote lacks, as it was last seen; null before that.'),
  behind: z.number().int().nullable().describe('Commits of the remote that are not here yet.'),
  pulled: z.boolean().optional().describe('True when the last round brought something from there.'),
  pushed: z.boolean().optional().describe('True when the last round sent something there.'),
  conflicts: z.number().int().optional().describe('Conflicts that the last round recorded.'),
  lastSuccessAt: timeShape.nullable().describe('End of the last round that went well; null before that.'),
  lastError: z
    .object({
      at: timeShape,
      message: z.string().describe('What went wrong and what to do about it.'),
      failures: z.number().int().describe('Failures in a row.'),
    })
    .nullable()
    .describe('Null when the last round went well.'),
  nextAt: timeShape.nullable().describe('When it is tried again by itself; null for only when asked.'),
  notes: z.array(z.string()).describe('What was unusual, such as a remote that was rewritten.'),
});

/** Operations on remotes, by name. */
export const memorySyncOperations = {
  sync: {
    title: 'Synchronize with Git remotes',
    description:
      'Exchange memories with the Git remotes now: fetch, merge, push. Nothing is ever overwritten; changes of both sides are merged, conflicts are recorded. With action "status" nothing is exchanged and the answer says how it stands. A round that takes longer than waitSeconds goes on and shows as running; ask for its status later.',
    input: z.strictObject({
      action: z.enum(['run', 'status']).optional().describe('What to do; run when absent.'),
      remote: z.string().min(1).max(64).optional().describe('Name of one remote; all of them when absent.'),
      waitSeconds: z.coerce
        .number()
        .min(0)
        .max(3600)
        .optional()
        .describe('How long to wait for the end, in seconds; 30 when absent.'),
    }),
    output: z.object({
      remotes: z.array(remoteShape).describe('One row a remote; empty when none is configured.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  },
} as const;
