/** How many replicas a server has, and the route that says so. */

import { z } from 'zod';
import { mostReplicas, priorities } from '../../kernel/pool-options.ts';
import { defineRoute } from '../define-route.ts';

const count = z.number().int().min(1).max(mostReplicas);

/** Fewest and most replicas. */
export const boundsShape = z.object({ min: z.number().int(), max: z.number().int() });

/** The replicas of a server and what decided their number. */
export const scaleShape = boundsShape.extend({
  replicas: z.number().int().describe('Those that get calls.'),
  leaving: z.number().int().describe('Those that get no more and finish what they have.'),
  byHand: z.boolean().describe('The bounds were set by `servers scale`, not by the config.'),
  decisions: z
    .array(
      z.object({
        at: z.string(),
        from: z.number().int(),
        to: z.number().int(),
        reason: z.string(),
      }),
    )
    .describe('The last ones, oldest first; where from and to are equal, more were needed than are allowed.'),
});

/** The calls of a server that wait for a place in one of its replicas. */
export const queueShape = z.object({
  maxConcurrency: z.number().int().describe('Most calls at a time in one replica.'),
  waiting: z.number().int(),
  maxWaiting: z.number().int(),
  maxWaitMs: z.number().int(),
  priority: z.enum(priorities),
  refused: z.number().int().describe('Calls that got no place since the start.'),
});

/** Setting the number of replicas. */
export const scaleRoutes = {
  serversScale: defineRoute({
    method: 'POST',
    path: '/api/v1/servers/:id/scale',
    summary: 'Sets how many replicas a server has, or between which bounds; kept until it is reset.',
    params: z.object({ id: z.string().min(1).max(200) }),
    body: z
      .strictObject({
        replicas: count.optional().describe('So many, whatever the load.'),
        min: count.optional().describe('Fewest; as it is when absent.'),
        max: count.optional().describe('Most; as it is when absent.'),
        reset: z.literal(true).optional().describe('Back to the config.'),
      })
      .refine(
        ({ replicas, min, max, reset }) =>
          [replicas, min ?? max, reset].filter((given) => given !== undefined).length === 1,
        { error: 'needs one of replicas, min or max, and reset' },
      ),
    response: scaleShape.extend({ id: z.string() }),
  }),
} as const;
