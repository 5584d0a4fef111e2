/** The rows of the memory's operations table that only read. */

import { z } from 'zod';
import {
  atShape,
  cursorShape,
  entryShape,
  inWorkspaceShape,
  keyEcho,
  keyShape,
  limitShape,
  nextCursorShape,
  scopeEcho,
  scopeShape,
  tagsShape,
  versionShape,
} from './shapes.ts';

/** Operations that read, by name. */
export const memoryReadOperations = {
  retrieve: {
    title: 'Retrieve a memory',
    description: 'Read the value of a key, now or as it was at a commit, a date or a snapshot.',
    input: z.strictObject({
      key: keyShape,
      scope: scopeShape.optional(),
      at: atShape.optional(),
      workspace: inWorkspaceShape,
    }),
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
      workspace: inWorkspaceShape,
    }),
    output: z.object({
      items: z.array(entryShape).describe('One row a key, in key order.'),
      nextCursor: nextCursorShape,
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
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
      'What changed in a key between two versions (commit ids, dates or snapshots): by field for JSON, by line for text. Without "to": up to now.',
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
      textPending: z.number().int().describe('Values whose full text is still to be made.'),
      repositoryBytes: z.number().int().describe('Size of the repository on disk.'),
      scopes: z
        .array(
          z.object({
            scope: scopeEcho,
            keys: z.number().int().describe('Keys in this scope.'),
            bytes: z.number().int().describe('Bytes of its values.'),
            maxKeys: z.number().int().optional().describe('Most keys that it may hold, if limited.'),
            maxBytes: z.number().int().optional().describe('Most bytes that it may hold, if limited.'),
          }),
        )
        .describe('One row a scope.'),
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
} as const;
