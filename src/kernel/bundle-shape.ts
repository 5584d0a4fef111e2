/** What a bundle is made of, in the config and over REST. */

import { z } from 'zod';

const bundleToolShape = z.strictObject({
  tool: z
    .string()
    .min(1)
    .max(200)
    .describe('Name in /mcp, e.g. sqlite__query; with * at its end every tool whose name begins so.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, _ and -' })
    .optional()
    .describe('Name in the bundle; its own when absent.'),
  title: z.string().min(1).max(200).optional().describe('Name for people, in place of its own.'),
  description: z.string().min(1).max(10_000).optional().describe('Description, in place of its own.'),
  arguments: z
    .record(z.string().min(1), z.unknown())
    .optional()
    .describe('Arguments settled here: callers neither see nor give them.'),
});

/** A tool alone may be written as its name. */
const toolOrNameShape = z
  .union([
    z
      .string()
      .min(1)
      .max(200)
      .transform((tool) => ({ tool })),
    bundleToolShape,
  ])
  .superRefine((one, context) => {
    if (!one.tool.endsWith('*') || !('name' in one) || one.name === undefined) return;
    context.addIssue({ code: 'custom', path: ['name'], message: 'goes with one tool, not with a * pattern' });
  });

/** A bundle as people write it; its output has every tool as an object. */
export const bundleShape = z.strictObject({
  title: z.string().min(1).max(200).optional().describe('Name for people.'),
  description: z
    .string()
    .min(1)
    .max(10_000)
    .optional()
    .describe('What it is for: clients get it as the instructions of the endpoint.'),
  tools: z.array(toolOrNameShape).min(1).max(1000).describe('The tools, in the order they are listed.'),
});

/** Part of a URL. */
export const bundleNameShape = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
  error: 'must be 1 to 64 of a-z, 0-9, ., _ and -, beginning with a letter or digit',
});
