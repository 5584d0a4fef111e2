/** The row of the memory's operations table that tells what changed. */

import { z } from 'zod';
import { etagShape, keyEcho, limitShape, scopeEcho, scopeShape, versionShape } from './shapes.ts';

/** A place in the change feed, `<epoch>-<number>`. */
export const positionShape = z
  .string()
  .max(40)
  .regex(/^[0-9a-f]{12}-\d{1,16}$/, { error: 'must be a position of the change feed' })
  .describe('A position of the change feed: "next" of the answer before, or the position of a change.');

/** One change of the feed. */
export const changeShape = z.object({
  position: z.string().describe('Place in the feed; pass it as "since" to get what came after it.'),
  scope: scopeEcho,
  key: keyEcho,
  op: versionShape.shape.op,
  etag: etagShape.nullable().describe('Null for a deletion.'),
  actor: z.string().describe('Who made the change.'),
  at: z.string().describe('ISO 8601 time.'),
  seq: z.number().int().describe('Position in the write journal; 0 for what came through Git.'),
});
export type MemoryFeedChange = z.infer<typeof changeShape>;

/** Operations on the change feed, by name. */
export const memoryChangeOperations = {
  changes: {
    title: 'Changes of the memory',
    description:
      'What changed since a position, oldest first, whoever changed it. Call it without "since" to get a position ("next"), read what you need, and later ask from there: nothing is missed and nothing comes twice. When "reset" is true your position is too old: list anew, then go on from "next". Values are not in it: retrieve them.',
    input: z.strictObject({
      since: positionShape.optional().describe('Where to go on; without it only "next" is answered.'),
      scope: scopeShape.optional().describe('Only changes of this scope; all scopes when absent.'),
      prefix: z.string().max(1024).optional().describe('Only keys that start so.'),
      limit: limitShape.optional(),
    }),
    output: z.object({
      changes: z.array(changeShape).describe('Oldest first; one key may come several times.'),
      next: z.string().describe('Pass it as "since" next time.'),
      more: z.boolean().describe('True when there is more at once.'),
      reset: z
        .boolean()
        .describe('True when "since" is older than what is kept: list anew, then go on from "next".'),
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
} as const;
