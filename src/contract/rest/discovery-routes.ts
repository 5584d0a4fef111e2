/** Routes of servers that register themselves, and of what discovery did. */

import { z } from 'zod';
import { defineRoute } from '../define-route.ts';
import { serverSources } from './server-routes.ts';

const nameParams = z.object({ name: z.string().min(1).max(64) });
const leaseBody = z.strictObject({
  lease: z.string().min(1).max(100).describe('As it came with the registration.'),
});
const lease = z.object({
  lease: z.string().describe('Secret of the server that registered: it renews and ends the registration.'),
  expiresAt: z.string().describe('Without a heartbeat until then the server is taken out.'),
});

/** Registration with heartbeat and TTL; sources and changes. */
export const discoveryRoutes = {
  registrationsCreate: defineRoute({
    method: 'POST',
    path: '/api/v1/registrations',
    summary: 'Registers a server that runs elsewhere, for as long as it sends heartbeats.',
    body: z.strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)
        .describe('Its name: letters, digits, - and _; the prefix of its tools.'),
      url: z.string().min(1).max(2000).describe('Its MCP endpoint over Streamable HTTP.'),
      ttlSeconds: z.number().int().min(5).max(3600).optional().describe('Default 30.'),
      category: z.string().optional(),
      title: z.string().min(1).max(200).optional(),
      lease: z.string().max(100).optional().describe('Of the registration that this one takes the place of.'),
    }),
    response: lease.extend({ name: z.string() }),
  }),
  registrationsHeartbeat: defineRoute({
    method: 'POST',
    path: '/api/v1/registrations/:name/heartbeat',
    summary: 'Says that a registered server is still there.',
    params: nameParams,
    body: leaseBody,
    response: lease,
  }),
  registrationsEnd: defineRoute({
    method: 'POST',
    path: '/api/v1/registrations/:name/end',
    summary: 'Ends a registration: the server finishes its calls and goes.',
    params: nameParams,
    body: leaseBody,
    response: z.object({ ended: z.string() }),
  }),
  discovery: defineRoute({
    method: 'GET',
    path: '/api/v1/discovery',
    summary: 'The sources of servers with what is wrong at them, and who gave way to whom.',
    response: z.object({
      sources: z.array(
        z.object({
          kind: z.enum(serverSources),
          origin: z.string(),
          servers: z.number().int(),
          problems: z.array(z.string()),
        }),
      ),
      conflicts: z.array(
        z.object({
          server: z.string(),
          source: z.enum(serverSources),
          origin: z.string().optional(),
          winner: z.string(),
        }),
      ),
      failures: z.array(z.object({ id: z.string(), source: z.enum(serverSources), reason: z.string() })),
    }),
  }),
  serverChanges: defineRoute({
    method: 'GET',
    path: '/api/v1/server-changes',
    summary: 'Which servers came, changed, went or were refused, and why; the newest first.',
    query: z.object({ limit: z.coerce.number().int().min(1).max(1000).optional().describe('Default 100.') }),
    response: z.object({
      changes: z.array(
        z.object({
          at: z.string(),
          action: z
            .string()
            .describe('added, replaced, removed, refused, shadowed, configured, quarantined or released.'),
          server: z.string(),
          source: z.string(),
          origin: z.string().nullable(),
          problem: z.string().nullable(),
        }),
      ),
    }),
  }),
} as const;
