/** Routes of the coordinator itself. */

import { z } from 'zod';
import { memoryOperations } from '../../kernel/memory/operations.ts';
import { defineRoute } from '../define-route.ts';
import { configStatusShape } from './config-routes.ts';

/** Status and shutdown. */
export const statusRoutes = {
  status: defineRoute({
    method: 'GET',
    path: '/api/v1/status',
    summary: 'What is running, since when, with how many servers in which state.',
    response: z.object({
      version: z.string(),
      pid: z.number().int(),
      startedAt: z.string(),
      uptimeSeconds: z.number(),
      endpoint: z.string(),
      dataDir: z.string(),
      store: z.object({ kind: z.enum(['sqlite', 'postgresql']), at: z.string() }),
      rssBytes: z.number().int(),
      sessions: z.number().int(),
      servers: z.object({ total: z.number().int(), byState: z.record(z.string(), z.number().int()) }),
      config: configStatusShape,
      memory: memoryOperations.stats.output,
    }),
  }),
  shutdown: defineRoute({
    method: 'POST',
    path: '/api/v1/shutdown',
    needs: 'own',
    audit: 'urgent',
    summary: 'Drains and stops the coordinator.',
    response: z.object({ stopping: z.literal(true) }),
  }),
} as const;
