/** One route for what is done to many servers at once. */

import { z } from 'zod';
import { mostReplicas } from '../../kernel/pool-options.ts';
import { defineRoute } from '../define-route.ts';
import { instanceStates } from './server-routes.ts';

export const bulkOperations = [
  'start',
  'stop',
  'restart',
  'remove',
  'configure',
  'scale',
  'quarantine',
  'release',
] as const;
export type BulkOperation = (typeof bulkOperations)[number];

const settings = z.record(z.string(), z.unknown());

export const bulkItemShape = z.object({
  id: z.string(),
  outcome: z.enum(['done', 'unchanged', 'failed', 'planned']),
  state: z.enum(instanceStates).optional().describe('Afterwards; absent when it is there no more.'),
  code: z.string().optional().describe('Of the error.'),
  problem: z.string().optional(),
  before: settings.optional().describe('The settings in question, as they were.'),
  after: settings.optional(),
});
export type BulkItem = z.infer<typeof bulkItemShape>;

const count = z.number().int().min(1).max(mostReplicas);

const bodyShape = z.strictObject({
  operation: z.enum(bulkOperations),
  select: z.string().max(4000).optional().describe('A selector, e.g. `category=database,tag=blue`.'),
  ids: z.array(z.string().min(1).max(200)).min(1).max(10_000).optional().describe('Ids, aliases or ports.'),
  dryRun: z.boolean().optional().describe('Say what would be touched, and do nothing.'),
  set: settings.optional().describe('For `configure`: settings by name, as in an mcpServers entry.'),
  unset: z
    .array(z.string())
    .optional()
    .describe('For `configure`: settings that go back to what the source of the server says.'),
  replicas: count.optional().describe('For `scale`: so many, whatever the load.'),
  min: count.optional().describe('For `scale`: fewest; as it is when absent.'),
  max: count.optional().describe('For `scale`: most; as it is when absent.'),
  reset: z.literal(true).optional().describe('For `scale`: back to the config.'),
  reason: z.string().min(1).max(500).optional().describe('For `quarantine`.'),
});
export type BulkRequest = z.infer<typeof bodyShape>;

/** What each operation needs besides the servers. */
const needed: Partial<Record<BulkOperation, readonly (keyof BulkRequest)[]>> = {
  configure: ['set', 'unset'],
  scale: ['replicas', 'min', 'max', 'reset'],
  quarantine: ['reason'],
};

export const bulkRoutes = {
  serversBulk: defineRoute({
    method: 'POST',
    path: '/api/v1/servers-bulk',
    summary: 'Does one thing to all servers that a selector chooses, or that are named; a result for each.',
    body: bodyShape.superRefine((body, context) => {
      if ((body.select === undefined) === (body.ids === undefined))
        context.addIssue({ code: 'custom', path: ['select'], message: 'give either a selector or ids' });
      const wanted = needed[body.operation];
      if (wanted && wanted.every((key) => body[key] === undefined))
        context.addIssue({
          code: 'custom',
          path: [wanted[0]!],
          message: `is missing: ${body.operation} needs ${wanted.join(' or ')}`,
        });
      for (const key of ['set', 'unset', 'replicas', 'min', 'max', 'reset', 'reason'] as const)
        if (body[key] !== undefined && wanted?.includes(key) !== true)
          context.addIssue({ code: 'custom', path: [key], message: `is not for ${body.operation}` });
    }),
    response: z.object({ items: z.array(bulkItemShape) }),
  }),
} as const;
