/** The rows of the memory's operations table that change something. */

import { z } from 'zod';
import {
  atShape,
  durabilityShape,
  etagShape,
  ifMatchShape,
  inWorkspaceShape,
  keyEcho,
  keyShape,
  scopeEcho,
  scopeShape,
  seqShape,
  sequenceShape,
  snapshotNameShape,
  subjectShape,
  tagsShape,
  threadShape,
  ttlShape,
  valueShape,
} from './shapes.ts';

/** What is stored at one key. */
const entryFields = {
  key: keyShape,
  value: valueShape,
  tags: tagsShape.optional(),
  ttlSeconds: ttlShape.optional(),
  thread: threadShape.optional(),
  sequence: sequenceShape.optional(),
  subject: subjectShape.optional(),
  ifMatch: ifMatchShape
    .optional()
    .describe('Store only if the current etag is this one, or "absent" if there must be none.'),
};

/** Operations that write, by name. */
export const memoryWriteOperations = {
  store: {
    title: 'Store a memory',
    description:
      'Remember a value under a key. Durable when this returns, and every version is kept in Git. Overwrites the current value; pass ifMatch (an etag, or "absent") to refuse when someone changed it meanwhile.',
    input: z.strictObject({
      ...entryFields,
      scope: scopeShape.optional(),
      durability: durabilityShape,
      workspace: inWorkspaceShape,
    }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      etag: etagShape,
      seq: seqShape,
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
  store_many: {
    title: 'Store several memories at once',
    description:
      'Remember up to 1,000 values in one scope, all or none: one durable write, one commit. A mismatch of one ifMatch refuses all. Every key may be given once.',
    input: z.strictObject({
      entries: z
        .array(z.strictObject(entryFields))
        .min(1)
        .max(1000)
        .describe('What to remember under which key.'),
      scope: scopeShape.optional(),
      durability: durabilityShape,
    }),
    output: z.object({
      scope: scopeEcho,
      entries: z
        .array(z.object({ key: keyEcho, etag: etagShape, seq: seqShape }))
        .describe('One row an entry, in their order.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
  append: {
    title: 'Append to a memory',
    description:
      'Add text to the end of a text memory, or items to the end of a list, without reading it first; nothing of concurrent appends is lost. Makes the memory if there is none. Give exactly one of text and items.',
    input: z
      .strictObject({
        key: keyShape,
        text: z.string().min(1).optional().describe('Text to add, on a line of its own.'),
        paragraph: z.boolean().optional().describe('Put an empty line before the text. Default false.'),
        items: z
          .array(z.unknown().describe('Any JSON value.'))
          .min(1)
          .max(1000)
          .optional()
          .describe('Items to add to a memory that is a JSON array.'),
        scope: scopeShape.optional(),
        durability: durabilityShape,
      })
      .refine(({ text, items }) => (text === undefined) !== (items === undefined), {
        error: 'give exactly one of text and items',
      }),
    output: z.object({ key: keyEcho, scope: scopeEcho, etag: etagShape, seq: seqShape }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  },
  increment: {
    title: 'Increment a number in a memory',
    description:
      'Add to a number, the whole value or a field of it, without reading it first; no concurrent increment is lost. A missing number counts as 0.',
    input: z.strictObject({
      key: keyShape,
      by: z.number().optional().describe('What to add; 1 when absent, may be negative or a fraction.'),
      pointer: z
        .string()
        .max(1024)
        .regex(/^(?:\/(?:[^~/]|~[01])*)*$/, { error: 'must be a JSON Pointer (RFC 6901)' })
        .optional()
        .describe('JSON Pointer (RFC 6901) of the number, e.g. "/visits"; the whole value when absent.'),
      scope: scopeShape.optional(),
      durability: durabilityShape,
    }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      etag: etagShape,
      seq: seqShape,
      value: z.number().describe('The number after it.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  },
  delete: {
    title: 'Delete a memory',
    description: 'Remove a key from the current state. Its history stays, and memory_restore brings it back.',
    input: z.strictObject({
      key: keyShape,
      scope: scopeShape.optional(),
      ifMatch: ifMatchShape.optional().describe('Delete only if the current etag is this one.'),
      workspace: inWorkspaceShape,
    }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      deleted: z.boolean().describe('False if there was nothing to delete.'),
      seq: seqShape,
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  },
  restore: {
    title: 'Restore memories',
    description:
      'Bring a key, all keys under a prefix, or all keys back to how they were at a commit, a date or a snapshot, as new versions; nothing is rewritten. With prefix or all it happens at once or not at all, and what did not exist then is deleted.',
    input: z
      .strictObject({
        key: keyShape.optional(),
        prefix: z.string().min(1).max(1024).optional().describe('Every key that starts so, in the scope.'),
        all: z
          .literal(true)
          .optional()
          .describe('Every key: of the scope, or of all scopes when none is given.'),
        scope: scopeShape.optional(),
        to: atShape,
      })
      .refine(({ key, prefix, all }) => [key, prefix, all].filter((one) => one !== undefined).length === 1, {
        error: 'give exactly one of key, prefix and all',
      }),
    output: z.object({
      scope: scopeEcho.optional(),
      restoredFrom: z.string().describe('Commit (or date) of the state brought back.'),
      key: keyEcho.optional(),
      etag: etagShape.optional(),
      seq: seqShape.optional(),
      restored: z.number().int().describe('Keys that got a former value.'),
      deleted: z.number().int().describe('Keys deleted because they did not exist then.'),
      unchanged: z.number().int().describe('Keys that were so already, of those that changed since then.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  },
  snapshot: {
    title: 'Snapshots of the memory',
    description:
      'Give the present state of the whole memory a name, list these names, or delete one (the state itself stays in the history). Wherever a version is asked for, snap:<name> names it.',
    input: z
      .strictObject({
        action: z.enum(['create', 'list', 'delete']).describe('What to do.'),
        name: snapshotNameShape.optional().describe('Name of the snapshot, for create and delete.'),
      })
      .refine(({ action, name }) => (action === 'list') === (name === undefined), {
        error: 'create and delete need a name, list takes none',
        path: ['name'],
      }),
    output: z.object({
      snapshots: z
        .array(
          z.object({
            name: z.string().describe('Name of the snapshot; snap:<name> as a version.'),
            commit: z.string().describe('Commit that it names.'),
            at: z.string().describe('ISO 8601 time of its making, to the second.'),
          }),
        )
        .describe('The one made or deleted, or all by name.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  },
} as const;
