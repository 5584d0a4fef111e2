/** The rows of the memory's operations table about personal data and keys. */

import { z } from 'zod';
import { keyShape, scopeEcho, scopeShape, subjectShape } from './shapes.ts';

export const memoryPrivacyOperations = {
  forget: {
    title: 'Forget memories',
    description:
      'Forget in one of three levels: tombstone deletes the present values, and their history stays; shred destroys the key of a subject, so that everything stored with it is unreadable in every clone and backup; rewrite takes memories out of all history, the journal, the index and the backups, changes commit ids, and clones must be made anew. Shred and rewrite cannot be undone.',
    input: z
      .strictObject({
        level: z.enum(['tombstone', 'shred', 'rewrite']).describe('How thoroughly.'),
        scope: scopeShape.optional(),
        keys: z.array(keyShape).min(1).max(1000).optional().describe('These keys of the scope.'),
        prefix: z.string().min(1).max(1024).optional().describe('Every key of the scope that starts so.'),
        all: z.literal(true).optional().describe('Every key of the scope, which must be named.'),
        subject: subjectShape.optional().describe('Whose data; for shred.'),
        keepBackups: z
          .boolean()
          .optional()
          .describe(
            'With rewrite: true leaves the backups as they are. Else a new one is made and all before it go.',
          ),
        dryRun: z.boolean().optional().describe('Only tells what would be forgotten.'),
      })
      .refine(
        ({ level, keys, prefix, all, subject }) => {
          const given = [keys, prefix, all].filter((one) => one !== undefined).length;
          return level === 'shred'
            ? subject !== undefined && given === 0
            : subject === undefined && given === 1;
        },
        { error: 'shred takes a subject, and the others exactly one of keys, prefix and all' },
      )
      .refine(({ all, scope }) => all === undefined || scope !== undefined, {
        error: 'all needs a scope',
        path: ['scope'],
      }),
    output: z.object({
      level: z.enum(['tombstone', 'shred', 'rewrite']).describe('What was done.'),
      dryRun: z.boolean().describe('True when nothing was done.'),
      forgotten: z.number().int().describe('Memories whose present value went.'),
      keys: z
        .array(z.object({ scope: scopeEcho, key: z.string().describe('The key.') }))
        .describe('The first 100 of them.'),
      rewritten: z
        .object({
          files: z.number().int().describe('Files that left the history.'),
          commits: z.number().int().describe('Commits with another id than before.'),
          refs: z.number().int().describe('Branches, snapshots and other refs that moved.'),
          epoch: z.number().int().describe('How many times history was rewritten so far.'),
        })
        .optional()
        .describe('What became of the history.'),
      backup: z
        .object({
          made: z.string().optional().describe('Id of the backup made after it.'),
          removed: z.array(z.string()).describe('Ids of the backups that were taken away.'),
        })
        .optional()
        .describe('What became of the backups.'),
      notes: z.array(z.string()).describe('What is left to do elsewhere.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  },
  rekey: {
    title: 'Encrypt values under the present keys',
    description:
      'Write every present value anew whose scope has another key now than the one that it is encrypted under, or is encrypted now and was not, or the other way round. Former versions stay as they are.',
    input: z.strictObject({ scope: scopeShape.optional() }),
    output: z.object({
      rekeyed: z.number().int().describe('Values that were written anew.'),
      unchanged: z.number().int().describe('Values that were so already.'),
      unreadable: z
        .array(z.object({ scope: scopeEcho, key: z.string().describe('The key.') }))
        .describe('The first 100 values whose key is missing.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
} as const;
