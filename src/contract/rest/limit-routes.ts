/** Routes of the limits. */

import { z } from 'zod';
import { limitedBy, limitWindows } from '../../kernel/rate-limits.ts';
import { defineRoute } from '../define-route.ts';

const standingShape = z.object({
  rule: z.string().describe('Name of the rule or plan.'),
  per: z.enum(limitedBy),
  of: z.string().describe('What is counted: an id, a name, `server/tool`, or `*` for all.'),
  window: z.enum(limitWindows),
  limit: z.number(),
  burst: z.number().describe('Most at once.'),
  remaining: z.number().describe('What may come now.'),
  resetMs: z.number().describe('Until all of it is there again, milliseconds.'),
});

/** How somebody stands. */
export const limitRoutes = {
  limits: defineRoute({
    method: 'GET',
    path: '/api/v1/limits',
    isForAll: true,
    summary: 'The limits that hold for the asker, and what is left; of others with the action limits:read.',
    query: z.object({
      principal: z.string().min(1).max(200).optional().describe('Another user or key of the tenant.'),
      server: z.string().min(1).max(200).optional().describe('With the limits of calls to this server.'),
      tool: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe("With those of this tool, by the server's name of it."),
    }),
    response: z.object({
      principal: z.string(),
      tenant: z.string(),
      plan: z.string().optional(),
      priority: z.string().optional().describe('The most urgent that its calls can be.'),
      counting: z
        .enum(['here', 'shared', 'here-for-now'])
        .describe('By this coordinator, by all together, or by this one while the common count is away.'),
      items: z.array(standingShape),
    }),
  }),
} as const;
