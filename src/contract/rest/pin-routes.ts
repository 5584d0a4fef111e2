/** Routes of pinned servers: what changed since it was approved, and the decision. */

import { z } from 'zod';
import { defineRoute } from '../define-route.ts';

const idParams = z.object({ id: z.string().min(1).max(200) });

export const pinShape = z.object({
  server: z.string().describe('Instance id.'),
  state: z
    .enum(['unpinned', 'approved', 'quarantined', 'reverted'])
    .describe('quarantined: it offers what nobody has approved; reverted: that was turned down.'),
  held: z.array(z.string()).describe('Its own names of tools that are neither listed nor called.'),
  changes: z.array(
    z.object({
      kind: z.enum(['added', 'removed', 'renamed', 'changed']),
      tool: z.string(),
      from: z.string().optional().describe('Former name of a renamed tool.'),
      fields: z.array(
        z.object({
          what: z.enum(['title', 'description', 'parameter', 'input', 'output', 'annotation', 'other']),
          name: z.string(),
          before: z.unknown().optional(),
          after: z.unknown().optional(),
        }),
      ),
    }),
  ),
  instructions: z
    .object({ before: z.string().optional(), after: z.string().optional() })
    .optional()
    .describe('Where its instructions differ from the approved ones.'),
  suspicions: z
    .array(
      z.object({
        tool: z.string().optional().describe('Absent for the instructions.'),
        guardrail: z.string(),
        rule: z.string(),
        field: z.string(),
      }),
    )
    .optional()
    .describe('What guardrails say about what it offers.'),
});
export type PinItem = z.infer<typeof pinShape>;

/** What a pinned server changed, approving it and turning it down. */
export const pinRoutes = {
  serversChanges: defineRoute({
    method: 'GET',
    path: '/api/v1/servers/:id/changes',
    summary: 'What a pinned server offers otherwise than was approved.',
    params: idParams,
    response: pinShape,
  }),
  serversApprove: defineRoute({
    method: 'POST',
    path: '/api/v1/servers/:id/approve',
    summary: 'Approves what a pinned server offers now.',
    params: idParams,
    response: pinShape,
  }),
  serversRevert: defineRoute({
    method: 'POST',
    path: '/api/v1/servers/:id/revert',
    summary: 'Turns down what a pinned server offers now; the approved definitions stay in force.',
    params: idParams,
    response: pinShape,
  }),
} as const;
