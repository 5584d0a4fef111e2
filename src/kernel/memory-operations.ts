/**
 * The operations of the shared memory, as data: name, words for a model, input and output shapes.
 * MCP tools, REST routes and CLI verbs all derive from this table.
 */

import { z } from 'zod';

/** `shared`, `coordinator`, `category:<category>` or `server:<instance id>`. */
export const scopeShape = z
  .string()
  .regex(/^(shared|coordinator|category:[a-z0-9][a-z0-9-]{0,63}|server:[a-z0-9][a-z0-9._-]{0,95})$/, {
    error: 'must be shared, coordinator, category:<category> or server:<id>',
  })
  .describe('Where the memory lives: shared (default), coordinator, category:<category> or server:<id>.');

export const keyShape = z
  .string()
  .min(1)
  .max(1024)
  .describe(
    'Name of the memory, slash-separated, e.g. "projects/apollo/decisions". Any script; compared after Unicode NFC.',
  );

const tagsShape = z.array(z.string().min(1).max(100)).max(50).describe('Labels to filter by.');
const etagShape = z.string().describe('Version tag of one value: the id of its Git blob.');
const limitShape = z.coerce.number().int().min(1).max(1000).describe('Most items to return.');
const cursorShape = z.string().max(4096).describe('nextCursor of the previous page.');
const keyEcho = z.string().describe('Key, as normalised.');
const scopeEcho = z.string().describe('Scope the memory lives in.');
const seqShape = z.number().int().describe('Position in the write journal.');
const tagsEcho = z.array(z.string()).describe('Labels of the memory.');
const nextCursorShape = z.string().optional().describe('Cursor of the next page; absent on the last one.');
const ifMatchShape = z.string().max(64);
const atShape = z
  .string()
  .min(4)
  .max(100)
  .describe('A commit id (4 to 40 hex digits) or an ISO 8601 date: the state as of then.');
/** Any JSON value; a string is stored as Markdown text, anything else as canonical JSON. */
export const valueShape: z.ZodType = z
  .unknown()
  .refine((value) => value !== undefined, { error: 'is required: any JSON value or text' })
  .describe('What to remember: any JSON value, or text (Markdown).');

const entryShape = z.object({
  key: keyEcho,
  scope: scopeEcho,
  tags: tagsEcho,
  etag: etagShape,
  updatedAt: z.string().describe('ISO 8601 time of the last change.'),
});

const versionShape = z.object({
  commit: z
    .string()
    .nullable()
    .describe('Commit that holds this version; null while it waits in the journal.'),
  etag: etagShape.nullable().describe('Null for a deletion.'),
  at: z.string().describe('ISO 8601 time.'),
  actor: z.string().describe('Who made the change.'),
  op: z.enum(['store', 'delete', 'restore']).describe('What the change was.'),
});

export const memoryOperations = {
  store: {
    title: 'Store a memory',
    description:
      'Remember a value under a key. Durable when this returns, and every version is kept in Git. Overwrites the current value; pass ifMatch (an etag, or "absent") to refuse when someone changed it meanwhile.',
    input: z.strictObject({
      key: keyShape,
      value: valueShape,
      scope: scopeShape.optional(),
      tags: tagsShape.optional(),
      ttlSeconds: z.coerce
        .number()
        .int()
        .min(1)
        .max(3_153_600_000)
        .optional()
        .describe('Forget from lists and reads after so many seconds.'),
      ifMatch: ifMatchShape
        .optional()
        .describe('Store only if the current etag is this one, or "absent" if there must be none.'),
    }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      etag: etagShape,
      seq: seqShape,
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
  retrieve: {
    title: 'Retrieve a memory',
    description: 'Read the value of a key, now or as it was at a commit or a date.',
    input: z.strictObject({ key: keyShape, scope: scopeShape.optional(), at: atShape.optional() }),
    output: entryShape.extend({
      value: z.unknown().describe('What was stored: a JSON value or text.'),
      actor: z.string().describe('Who made this version.'),
      commit: z.string().nullable().describe('Commit of this version; null while it waits in the journal.'),
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  list: {
    title: 'List memories',
    description: 'List keys in a scope, by prefix and tags, in key order, a page at a time.',
    input: z.strictObject({
      scope: scopeShape.optional(),
      prefix: z.string().max(1024).optional().describe('Only keys that start so.'),
      tags: tagsShape.optional(),
      cursor: cursorShape.optional(),
      limit: limitShape.optional(),
    }),
    output: z.object({
      items: z.array(entryShape).describe('One row a key, in key order.'),
      nextCursor: nextCursorShape,
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  search: {
    title: 'Search memories',
    description:
      'Full-text search over keys, tags and values, best first, in any language. Use a few telling words. Without scope, every scope is searched.',
    input: z.strictObject({
      query: z
        .string()
        .min(1)
        .max(2000)
        .describe('A few telling words, in any language; punctuation is harmless.'),
      scope: scopeShape.optional(),
      tags: tagsShape.optional(),
      limit: limitShape.optional(),
      at: atShape.optional(),
    }),
    output: z.object({
      hits: z
        .array(
          z.object({
            key: keyEcho,
            scope: scopeEcho,
            score: z.number().describe('Higher is a better hit; compare within one answer only.'),
            snippet: z.string().describe('The part of the value around the hit.'),
            tags: tagsEcho,
            etag: etagShape,
            updatedAt: z.string().describe('ISO 8601 time of the last change.'),
          }),
        )
        .describe('Best first.'),
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  delete: {
    title: 'Delete a memory',
    description: 'Remove a key from the current state. Its history stays, and memory_restore brings it back.',
    input: z.strictObject({
      key: keyShape,
      scope: scopeShape.optional(),
      ifMatch: ifMatchShape.optional().describe('Delete only if the current etag is this one.'),
    }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      deleted: z.boolean().describe('False if there was nothing to delete.'),
      seq: seqShape,
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  },
  history: {
    title: 'History of a memory',
    description: 'Every version of a key, newest first: commit, etag, time, who and what.',
    input: z.strictObject({
      key: keyShape,
      scope: scopeShape.optional(),
      limit: limitShape.optional(),
      cursor: cursorShape.optional(),
    }),
    output: z.object({
      versions: z.array(versionShape).describe('Newest first.'),
      nextCursor: nextCursorShape,
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  diff: {
    title: 'Compare versions of a memory',
    description:
      'What changed in a key between two versions (commit ids or dates): by field for JSON, by line for text. Without "to": up to now.',
    input: z.strictObject({
      key: keyShape,
      scope: scopeShape.optional(),
      from: atShape,
      to: atShape.optional(),
    }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      from: z.string().nullable().describe('Etag on the old side, null if absent.'),
      to: z.string().nullable().describe('Etag on the new side, null if absent.'),
      kind: z.enum(['json', 'text', 'type-changed', 'same']).describe('How the two sides differ.'),
      changes: z
        .array(
          z.object({
            op: z.enum(['add', 'remove', 'replace']).describe('What happened to the field.'),
            path: z.string().describe('RFC 6901 pointer to the field.'),
            before: z.unknown().optional().describe('Old value, if there was one.'),
            after: z.unknown().optional().describe('New value, if there is one.'),
          }),
        )
        .describe('JSON: one row a changed field, path as an RFC 6901 pointer.'),
      patch: z.string().describe('Text: a unified diff. Empty for JSON.'),
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  restore: {
    title: 'Restore a memory',
    description:
      'Bring a key back to a former version (a commit id or a date) as a new version; nothing is rewritten.',
    input: z.strictObject({ key: keyShape, scope: scopeShape.optional(), to: atShape }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      etag: etagShape,
      seq: seqShape,
      restoredFrom: z.string().describe('Commit of the version brought back.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
  stats: {
    title: 'Memory statistics',
    description:
      'How much is remembered: keys and bytes a scope, versions, journal backlog, repository size.',
    input: z.strictObject({}),
    output: z.object({
      keys: z.number().int().describe('Keys now present.'),
      bytes: z.number().int().describe('Bytes of their values.'),
      commits: z.number().int().describe('Commits on the main branch.'),
      head: z.string().nullable().describe('Commit the main branch points to; null before the first.'),
      journalPending: z.number().int().describe('Acknowledged writes not yet in a commit.'),
      repositoryBytes: z.number().int().describe('Size of the repository on disk.'),
      scopes: z
        .array(
          z.object({
            scope: scopeEcho,
            keys: z.number().int().describe('Keys in this scope.'),
            bytes: z.number().int().describe('Bytes of its values.'),
          }),
        )
        .describe('One row a scope.'),
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
} as const;

export type MemoryOperation = keyof typeof memoryOperations;
export type MemoryInput<Op extends MemoryOperation> = z.infer<(typeof memoryOperations)[Op]['input']>;
export type MemoryOutput<Op extends MemoryOperation> = z.infer<(typeof memoryOperations)[Op]['output']>;

/** Who asks: goes into the commit's author and trailers. */
export interface MemoryCaller {
  /** A person, agent or client, e.g. `claude-desktop`. */
  readonly actor: string;
  /** The server instance it came through, e.g. `git-memory-server-4100`, or `rest`, `cli`. */
  readonly agent: string;
  /** Request id that log lines share. */
  readonly requestId?: string;
}

/** The memory as every part sees it. Inputs are validated by the engine; failures are AppErrors. */
export interface MemoryClient {
  call<Op extends MemoryOperation>(
    operation: Op,
    input: MemoryInput<Op>,
    caller: MemoryCaller,
  ): Promise<MemoryOutput<Op>>;
}
