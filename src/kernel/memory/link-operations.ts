/** The row of the memory's operations table that follows links. */

import { z } from 'zod';
import { keyEcho, keyShape, scopeEcho, scopeShape } from './shapes.ts';

const placeShape = z.object({ scope: scopeEcho, key: keyEcho });

const linkFields = {
  kind: z
    .enum(['wikilink', 'markdown', 'uri', 'relation'])
    .describe('How it is written: [[key]], a Markdown link, a memory:// string in JSON, a graph relation.'),
  label: z
    .string()
    .optional()
    .describe('Words of the link, type of the relation, or JSON Pointer of the string.'),
};

/** Operations on links, by name. */
export const memoryLinkOperations = {
  links: {
    title: 'Links of a memory',
    description:
      'What a memory links to and what links to it, as title and snippet, nearest first, up to a depth and a token budget. Much cheaper than reading everything: retrieve only what you need then. Links are [[key]] and [text](other.md) in Markdown, "memory://<scope>/<key>" strings in JSON, and relations of imported knowledge graphs.',
    input: z.strictObject({
      key: keyShape,
      scope: scopeShape.optional(),
      direction: z
        .enum(['both', 'out', 'in'])
        .optional()
        .describe('out: what it links to; in: what links to it; both is the default.'),
      depth: z.number().int().min(1).max(5).optional().describe('How many links away; 1 when absent.'),
      maxTokens: z
        .number()
        .int()
        .min(100)
        .max(50_000)
        .optional()
        .describe('Budget of the answer in estimated tokens; 2,000 when absent.'),
    }),
    output: z.object({
      key: keyEcho,
      scope: scopeEcho,
      exists: z.boolean().describe('False when others link to the key but nothing is stored there.'),
      nodes: z
        .array(
          placeShape.extend({
            title: z.string().describe('First heading, name or title, else the end of the key.'),
            snippet: z.string().describe('Beginning of the value.'),
            depth: z.number().int().describe('Links away from the memory asked for.'),
            via: z
              .object({
                from: placeShape.describe('The memory it was reached from.'),
                direction: z.enum(['out', 'in']).describe('out: that one links here; in: this links there.'),
                ...linkFields,
              })
              .describe('The link that led here first.'),
          }),
        )
        .describe('Each memory once, nearest first.'),
      missing: z
        .array(
          placeShape.extend({ from: placeShape.describe('The memory that has the link.'), ...linkFields }),
        )
        .describe('Links to memories that are not there.'),
      omitted: z
        .number()
        .int()
        .describe('Links known but not followed for want of budget (at least so many); 0 when all is here.'),
      tokens: z.number().int().describe('Estimated tokens of nodes and missing.'),
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
} as const;
