/** Settings of the Git server, and the context its tools get. */

import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { ToolContext } from '../../../kernel/define-server.ts';

const identityText = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^<>\n\r\0]+$/, { error: 'must not contain <, > or line breaks' });

export const identityShape = z.strictObject({
  name: identityText.describe('Name, e.g. "Ada Lovelace".'),
  email: identityText.describe('Mail address.'),
});
export type Identity = z.output<typeof identityShape>;

export const settingsShape = z
  .strictObject({
    roots: z
      .array(z.string().refine(isAbsolute, { error: 'must be an absolute path' }))
      .min(1)
      .max(50)
      .optional()
      .describe(
        'Folders in which repositories may lie; the folder "repositories" in its data folder when absent.',
      ),
    author: identityShape
      .default({ name: 'Git Memory MCP', email: 'git-memory-mcp@localhost' })
      .describe('Committer of every commit, and author of those that name none.'),
    timeoutMs: z
      .number()
      .int()
      .min(100)
      .max(3_600_000)
      .default(60_000)
      .describe('Longest time for one local Git command, milliseconds.'),
    cloneTimeoutMs: z
      .number()
      .int()
      .min(100)
      .max(3_600_000)
      .default(600_000)
      .describe('Longest time for a clone, milliseconds.'),
    maxOutputBytes: z
      .number()
      .int()
      .min(1024)
      .max(50_000_000)
      .default(1_000_000)
      .describe('Most bytes of a patch or a file in one answer; more is cut and marked as truncated.'),
    allowHosts: z
      .array(z.string().min(1).max(300))
      .max(1000)
      .default([])
      .describe(
        'Hosts to clone from although they are private or speak plain http: name, name:port or *.suffix.',
      ),
    trustRepositoryConfig: z
      .boolean()
      .default(false)
      .describe(
        'True lets the config of a repository name programs (filters, merge drivers); such repositories are refused otherwise.',
      ),
    runHooks: z.boolean().default(false).describe('True runs the hooks that lie in a repository.'),
  })
  .prefault({});

export type GitSettings = z.output<typeof settingsShape>;
export type GitContext = ToolContext<GitSettings>;
