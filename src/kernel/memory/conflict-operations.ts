/** The rows of the memory's operations table about conflicts that merges left behind. */

import { z } from 'zod';
import {
  cursorShape,
  etagShape,
  ifMatchShape,
  keyEcho,
  keyShape,
  nextCursorShape,
  scopeEcho,
  scopeShape,
  seqShape,
  tagsEcho,
} from './shapes.ts';

const sideShape = z.object({
  etag: etagShape.nullable().describe('Etag of that version; null for a deletion.'),
  value: z.unknown().optional().describe('The whole value; absent for a deletion or a file that is no text.'),
  tags: tagsEcho.optional(),
  actor: z.string().describe('Who made that change.'),
  at: z.string().describe('ISO 8601 time of that change.'),
});

const conflictShape = z.object({
  id: z.string().describe('Name of the conflict; 16 hex digits.'),
  key: keyEcho.optional().describe('Key; absent for a file that is no memory.'),
  scope: scopeEcho.optional().describe('Scope; absent for a file that is no memory.'),
  path: z.string().describe('File in the repository where the value stays.'),
  kind: z
    .enum(['value', 'deleted', 'text', 'list', 'type', 'manual', 'file', 'path'])
    .describe(
      'value: the same field changed; deleted: one side deleted what the other changed; text: the same lines changed; list: the same items; type: one side changed its type; manual: the scope is merged by hand; file and path: files that are no memories.',
    ),
  fields: z
    .array(z.string())
    .describe('JSON Pointers (RFC 6901) of the places in question; empty text is the whole value.'),
  winner: sideShape.describe('The version that counts at these places now.'),
  loser: sideShape.describe('The version that does not.'),
  base: z
    .object({ etag: etagShape, value: z.unknown().optional().describe('The whole value.') })
    .nullable()
    .describe('The version that both come from; null when there was none.'),
  current: etagShape.nullable().describe('Etag of the value that readers see now, merged or written since.'),
});

/** Operations about conflicts, by name. */
export const memoryConflictOperations = {
  conflicts: {
    title: 'List conflicts',
    description:
      'Keys that two replicas changed in ways that could not both be kept. The newer change counts until memory_resolve decides; both values are given here so that you can.',
    input: z.strictObject({
      scope: scopeShape.optional().describe('Only this scope; every scope when absent.'),
      prefix: z.string().max(1024).optional().describe('Only keys that start so.'),
      cursor: cursorShape.optional(),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(100)
        .optional()
        .describe('Most items to return; 20 when absent.'),
    }),
    output: z.object({
      conflicts: z.array(conflictShape).describe('One row a conflict, by path.'),
      nextCursor: nextCursorShape,
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  resolve: {
    title: 'Resolve conflicts of a key',
    description:
      'Decide a conflict of memory_conflicts: keep what is there now (current), take the whole winner, loser or base, or store a value of your own. The conflict is gone with the same commit. Give exactly one of use and value.',
    input: z
      .strictObject({
        key: keyShape,
        scope: scopeShape.optional(),
        id: z
          .string()
          .regex(/^[0-9a-f]{16}$/, { error: 'must be the id of a conflict, 16 hex digits' })
          .optional()
          .describe('Only this conflict of the key; all of them when absent.'),
        use: z
          .enum(['current', 'winner', 'loser', 'base'])
          .optional()
          .describe('Which version to keep; a version that is a deletion deletes the key.'),
        value: z.unknown().optional().describe('A value instead: any JSON value, or text (Markdown).'),
        ifMatch: ifMatchShape
          .optional()
          .describe('Only if the current etag is this one, or "absent" if there must be none.'),
      })
      .refine(({ use, value }) => (use === undefined) !== (value === undefined), {
        error: 'give exactly one of use and value',
      }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      etag: etagShape.nullable().describe('Etag of the value now; null when the key is deleted.'),
      seq: seqShape,
      resolved: z.number().int().describe('Conflicts that are gone.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  },
} as const;
