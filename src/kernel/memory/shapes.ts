/** Parts of the shapes of the memory's operations. */

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

export const tagsShape = z.array(z.string().min(1).max(100)).max(50).describe('Labels to filter by.');
export const etagShape = z.string().describe('Version tag of one value: the id of its Git blob.');
export const limitShape = z.coerce.number().int().min(1).max(1000).describe('Most items to return.');
export const cursorShape = z.string().max(4096).describe('nextCursor of the previous page.');
export const keyEcho = z.string().describe('Key, as normalised.');
export const scopeEcho = z.string().describe('Scope the memory lives in.');
export const seqShape = z.number().int().describe('Position in the write journal.');
export const tagsEcho = z.array(z.string()).describe('Labels of the memory.');
export const nextCursorShape = z
  .string()
  .optional()
  .describe('Cursor of the next page; absent on the last one.');
export const ttlShape = z.coerce
  .number()
  .int()
  .min(1)
  .max(3_153_600_000)
  .describe('Forget from lists and reads after so many seconds.');
export const ifMatchShape = z.string().max(64);
export const atShape = z
  .string()
  .min(4)
  .max(100)
  .describe(
    'A commit id (4 to 40 hex digits), an ISO 8601 date or snap:<name> of a snapshot: the state as of then.',
  );
/** Any JSON value; a string is stored as Markdown text, anything else as canonical JSON. */
export const valueShape: z.ZodType = z
  .unknown()
  .refine((value) => value !== undefined, { error: 'is required: any JSON value or text' })
  .describe('What to remember: any JSON value, or text (Markdown).');

export const threadShape = z
  .string()
  .min(1)
  .max(256)
  .refine((thread) => thread.isWellFormed(), { error: 'contains half of a surrogate pair' })
  .describe('What the memory is a part of, e.g. the id of a conversation; search looks at its neighbours.');
export const subjectShape = z
  .string()
  .min(1)
  .max(256)
  .refine((subject) => subject.isWellFormed(), { error: 'contains half of a surrogate pair' })
  .describe(
    'Whose personal data it is, e.g. user-42: the value is encrypted under a key of that subject, and memory_forget with this subject destroys the key, so that it is unreadable in every clone.',
  );
export const sequenceShape = z
  .int()
  .describe('Place of the memory in its thread: 1, 2, 3 and so on; neighbours lift each other in a search.');
export const threadEcho = z.string().optional().describe('What the memory is a part of.');
export const sequenceEcho = z.int().optional().describe('Place of the memory in its thread.');

export const entryShape = z.object({
  key: keyEcho,
  scope: scopeEcho,
  tags: tagsEcho,
  etag: etagShape,
  updatedAt: z.string().describe('ISO 8601 time of the last change.'),
  thread: threadEcho,
  sequence: sequenceEcho,
});

export const versionShape = z.object({
  commit: z
    .string()
    .nullable()
    .describe('Commit that holds this version; null while it waits in the journal.'),
  etag: etagShape.nullable().describe('Null for a deletion.'),
  at: z.string().describe('ISO 8601 time.'),
  actor: z.string().describe('Who made the change.'),
  op: z
    .enum(['store', 'delete', 'restore', 'append', 'increment', 'resolve', 'merge'])
    .describe('What the change was.'),
});

/** A name that Git takes as the last part of a ref, and every file system as the name of a file. */
export const snapshotNameShape = z
  .string()
  .max(60)
  .regex(/^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_-]|\.(?!\.|lock$|$))*$/u, {
    error:
      'must be letters, digits, marks, _ and - (inside also single dots), beginning with a letter or digit',
  })
  .regex(/^(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))/i, { error: 'is the name of a device on Windows' })
  .describe('Name of the snapshot, in any script, without spaces and slashes.');

export const durabilityShape = z
  .enum(['strict', 'relaxed'])
  .optional()
  .describe(
    'strict (default): on the disk when this returns. relaxed: faster, survives a crash of the process but perhaps not a power cut.',
  );

/** A workspace is the branch `ws/<name>`; its name follows the rules of snapshots. */
export const workspaceNameShape = snapshotNameShape.describe(
  'Name of a workspace, in any script, without spaces and slashes.',
);

/** The workspace that an operation works in. */
export const inWorkspaceShape = workspaceNameShape
  .optional()
  .describe('Work in this workspace instead of the shared state; see memory_workspace.');
