/** Operations that keep the memory safe: backups, checks, and a new index. */

import { z } from 'zod';

const backupShape = z.object({
  id: z.string().describe('Name of the backup in its place.'),
  at: z.string().describe('ISO 8601 time: everything acknowledged until then is in it.'),
  bytes: z.number().int().describe('Stored bytes.'),
  head: z.string().nullable().describe('Commit that main stood at; null before the first one.'),
  lastSeq: z.number().int().describe('Journal position of the last write in it.'),
  encrypted: z.boolean().describe('Whether it needs a key.'),
  problem: z.string().optional().describe('Why it cannot be used; absent when nothing is known against it.'),
});

const findingShape = z.object({
  severity: z
    .enum(['error', 'warning', 'note'])
    .describe('An error is damage or loss, a warning wants a look, a note is only worth knowing.'),
  where: z.string().describe('Part and place.'),
  problem: z.string().describe('What is wrong there.'),
  fix: z.string().describe('What to do.'),
});

export const memoryBackupOperations = {
  backup: {
    title: 'Back the memory up',
    description:
      'Make a backup of the whole memory in the place that the config names, or list the backups that are there with the outcome of the last one. Every write acknowledged before the call is in it.',
    input: z.strictObject({
      action: z.enum(['create', 'list']).optional().describe('What to do; create unless given.'),
    }),
    output: z.object({
      target: z.string().describe('Where the backups are.'),
      backups: z.array(backupShape).describe('The one made, or all, newest first.'),
      removed: z.array(z.string()).describe('Ids of outdated or interrupted backups that were taken away.'),
      seconds: z.number().optional().describe('How long the backup took.'),
      lastSuccess: z
        .object({
          id: z.string().describe('Name of the backup.'),
          at: z.string().describe('ISO 8601 time.'),
          bytes: z.number().int().describe('Stored bytes.'),
          seconds: z.number().describe('How long it took.'),
        })
        .optional()
        .describe('The last backup that this coordinator made.'),
      lastError: z
        .object({
          at: z.string().describe('ISO 8601 time.'),
          message: z.string().describe('What kept it from that.'),
        })
        .optional()
        .describe('Why the last try failed; absent when it did not.'),
      nextAt: z.string().optional().describe('ISO 8601 time of the next one; absent without a schedule.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  },
  verify: {
    title: 'Verify the memory',
    description:
      'Check the memory from end to end: objects and refs of the repository, the journal, the index and the search against Git, on request the backups too. Changes nothing; takes from a second to minutes, by size. Each finding says what to do.',
    input: z.strictObject({
      action: z
        .enum(['run', 'status'])
        .optional()
        .describe('run unless given; status tells how far a running check is, or what the last one found.'),
      full: z.boolean().optional().describe('Read every value, and restore every backup for a look.'),
      backups: z.boolean().optional().describe('Check the backups too.'),
    }),
    output: z.object({
      running: z.boolean().describe('Whether a check is under way.'),
      step: z.string().optional().describe('What the check that is under way looks at.'),
      healthy: z
        .boolean()
        .optional()
        .describe('False when there is an error; absent before the first check.'),
      findings: z.array(findingShape).describe('Everything found, errors first.'),
      checked: z
        .object({
          commits: z.number().int().describe('Commits of main.'),
          files: z.number().int().describe('Files of main.'),
          entries: z.number().int().describe('Values in the index.'),
          contents: z.number().int().describe('Values whose bytes were hashed.'),
          searchRows: z.number().int().describe('Rows of the search.'),
          journalRecords: z.number().int().describe('Records in the journal.'),
          backups: z.number().int().describe('Backups looked at.'),
        })
        .optional()
        .describe('How much was looked at.'),
      seconds: z.number().optional().describe('How long it took.'),
    }),
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  },
  reindex: {
    title: 'Build the index anew',
    description:
      'Make the index of values, history and search anew from Git and the journal. Other calls wait meanwhile: about a minute for a million versions. Nothing is lost by it; needed only when verify says so.',
    input: z.strictObject({}),
    output: z.object({
      keys: z.number().int().describe('Values in the new index.'),
      versions: z.number().int().describe('Versions in the new index.'),
      seconds: z.number().describe('How long it took.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
} as const;
