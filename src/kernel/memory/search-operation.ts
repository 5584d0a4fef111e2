/** The search of the memory's operations table. */

import { z } from 'zod';
import {
  atShape,
  etagShape,
  inWorkspaceShape,
  keyEcho,
  limitShape,
  scopeEcho,
  scopeShape,
  sequenceEcho,
  tagsEcho,
  tagsShape,
  threadEcho,
} from './shapes.ts';

const dateShape = z.string().min(4).max(100);

const explainShape = z
  .object({
    words: z
      .array(
        z.object({
          word: z.string().describe('Word of the query.'),
          key: z.number().int().describe('How often it is in the key.'),
          tags: z.number().int().describe('How often it is in the tags.'),
          body: z.number().int().describe('How often it is in the value; at most 1 for a very common word.'),
          idf: z
            .number()
            .describe('How rare it is: the natural logarithm of its inverse document frequency.'),
          score: z.number().describe('What it adds to the text score.'),
        }),
      )
      .describe('BM25 (k1 1.2, b 0.75, fields weighted 4, 3, 1), by word.'),
    text: z.number().describe('Sum of the words.'),
    neighbors: z.number().describe('Added from neighbours in the thread.'),
    recency: z.number().describe('Factor for being new.'),
    textRank: z.number().int().optional().describe('Place by text, when semantic search took part.'),
    semantic: z
      .object({
        rank: z.number().int().describe('Place by meaning.'),
        similarity: z.number().describe('Cosine of the vectors.'),
      })
      .optional()
      .describe('Semantic search, where it found the memory.'),
  })
  .describe('How the score came about.');

const hitShape = z.object({
  key: keyEcho,
  scope: scopeEcho,
  score: z.number().describe('Higher is a better hit; compare within one answer only.'),
  snippet: z.string().describe('The part of the value with most of the words.'),
  highlights: z
    .array(z.tuple([z.number().int(), z.number().int()]))
    .describe('Where the words stand in the snippet: start and end in UTF-16 units.'),
  tags: tagsEcho,
  etag: etagShape,
  updatedAt: z.string().describe('ISO 8601 time of the last change.'),
  thread: threadEcho,
  sequence: sequenceEcho,
  explain: explainShape.optional(),
});

/** Search, as a row of the table. */
export const memorySearchOperation = {
  search: {
    title: 'Search memories',
    description:
      'Full-text search over keys, tags and values, best first, in any language. Use a few telling words; any of them may match. "Words in quotes" must stand so, word* matches a beginning. Without scope, every scope is searched. Give maxTokens to bound the answer.',
    input: z.strictObject({
      query: z
        .string()
        .min(1)
        .max(2000)
        .describe(
          'A few telling words, in any language; punctuation is harmless. "Words in quotes" must stand so, word* matches a beginning.',
        ),
      scope: z
        .union([scopeShape, z.array(scopeShape).min(1).max(50)])
        .optional()
        .describe('Only in this scope, or in these.'),
      tags: tagsShape.optional(),
      exclude: z
        .array(z.string().min(1).max(200))
        .max(20)
        .optional()
        .describe('No hit may have these words or phrases.'),
      type: z.enum(['text', 'json']).optional().describe('Only text, or only JSON values.'),
      prefix: z.string().max(1024).optional().describe('Only keys that start so.'),
      thread: z.string().min(1).max(256).optional().describe('Only parts of this thread.'),
      since: dateShape.optional().describe('Changed on this ISO 8601 date or later.'),
      until: dateShape.optional().describe('Changed on this ISO 8601 date or before.'),
      recency: z
        .enum(['none', 'mild', 'strong'])
        .optional()
        .describe(
          'How much new memories are preferred: by up to 0, 5 (default) or 50 percent; half in 30 days.',
        ),
      neighbors: z
        .boolean()
        .optional()
        .describe('Memories lift those beside them in their thread. Default true.'),
      semantic: z
        .boolean()
        .optional()
        .describe('Also search by meaning, where that is configured. Default true.'),
      explain: z.boolean().optional().describe('Say how each score came about.'),
      limit: limitShape.optional(),
      maxTokens: z.coerce
        .number()
        .int()
        .min(50)
        .max(1_000_000)
        .optional()
        .describe(
          'Leave out the last hits so that the answer stays below so many tokens, estimated as a third of the ASCII characters and all others.',
        ),
      at: atShape.optional(),
      workspace: inWorkspaceShape,
    }),
    output: z.object({
      unsearched: z
        .number()
        .int()
        .optional()
        .describe(
          'Values just written that there was no time to look at: there are hundreds of thousands of them. Absent when there are none.',
        ),
      hits: z.array(hitShape).describe('Best first.'),
      omitted: z.number().int().optional().describe('Hits left out to stay within maxTokens.'),
      tokens: z
        .number()
        .int()
        .optional()
        .describe('Estimated tokens of this answer, when maxTokens was given.'),
      semantic: z
        .enum(['used', 'unavailable'])
        .optional()
        .describe('Whether the search by meaning took part; absent when none is configured or asked for.'),
      notes: z.array(z.string()).optional().describe('What to know about this answer.'),
    }),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
} as const;
