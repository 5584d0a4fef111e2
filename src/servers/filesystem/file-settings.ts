/** Settings of the local file system server. */

import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { ToolContext } from '../../kernel/define-server.ts';

export const fileSettingsShape = z
  .strictObject({
    roots: z
      .array(z.string().min(1).refine(isAbsolute, { error: 'must be an absolute path' }))
      .max(100)
      .default([])
      .describe(
        'Absolute folders that may be used, and nothing outside them; empty means a folder of its own.',
      ),
    readOnly: z.boolean().default(false).describe('Refuse every tool that changes something.'),
    maxReadBytes: z
      .number()
      .int()
      .min(1024)
      .max(16 * 1024 * 1024)
      .default(256 * 1024)
      .describe('Most bytes that one read returns.'),
    maxFileBytes: z
      .number()
      .int()
      .min(1024)
      .max(1024 ** 3)
      .default(16 * 1024 * 1024)
      .describe('Largest file that is written, edited, or searched, in bytes.'),
    searchTimeoutMs: z
      .number()
      .int()
      .min(100)
      .max(120_000)
      .default(10_000)
      .describe('Milliseconds after which a search returns what it has found.'),
  })
  .prefault({});

type FileSettings = z.output<typeof fileSettingsShape>;
export type FileContext = ToolContext<FileSettings>;
