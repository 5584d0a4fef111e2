/** Routes of the server instances. */

import { z } from 'zod';
import { isolations } from '../../kernel/pool-options.ts';
import { defineRoute } from '../define-route.ts';
import { pageQuery } from './page-query.ts';
import { boundsShape, queueShape, scaleShape } from './scale-routes.ts';

export const instanceStates = [
  'stopped',
  'starting',
  'ready',
  'degraded',
  'unhealthy',
  'draining',
  'sleeping',
  'quarantined',
] as const;

/** Where servers come from, the strongest first: of two that want one id the first has it. */
export const serverSources = [
  'config',
  'deployed',
  'built-in',
  'added',
  'registered',
  'folder',
  'dns',
  'client',
] as const;

export const serverShape = z.object({
  id: z.string().describe('Instance id, e.g. sqlite-3104.'),
  name: z.string().describe('Name of its definition, e.g. sqlite.'),
  alias: z.string().describe('Prefix of its tools in /mcp; empty for the memory server.'),
  title: z.string(),
  category: z.string(),
  port: z.number().int(),
  transport: z.enum(['in-process', 'stdio', 'streamable-http']),
  source: z.enum(serverSources).describe('Where it comes from.'),
  origin: z.string().optional().describe('The file, DNS name or lease it comes from.'),
  state: z.enum(instanceStates),
  reason: z.string().optional().describe('Why it is in a state that is not ready.'),
  since: z.string().describe('Since when it is in its state, ISO 8601.'),
  era: z.enum(['legacy', 'modern']).optional(),
  replicas: z.number().int(),
  bounds: boundsShape.optional().describe('Between which the number of replicas follows the load.'),
  waiting: z.number().int().optional().describe('Calls that wait for a place, where they may have to.'),
  lazy: z.boolean(),
  tags: z.array(z.string()).optional().describe('Its labels.'),
  isolation: z.enum(isolations).optional().describe('Who shares a connection; absent where all clients do.'),
  sessions: z
    .number()
    .int()
    .optional()
    .describe('Clients that have a connection of their own now; absent where all share.'),
  restarts: z.number().int(),
  calls: z.number().int(),
  errors: z.number().int(),
  pid: z.number().int().optional(),
  tools: z.number().int().optional(),
  held: z.number().int().optional().describe('Tools held back until they are approved.'),
  startedAt: z.string().optional(),
});
export type ServerItem = z.infer<typeof serverShape>;

/** One connection or process of an instance. */
const replicaShape = z.object({
  state: z.enum(instanceStates),
  reason: z.string().optional(),
  breaker: z.enum(['closed', 'open', 'half-open']).describe('Open: out of traffic after failed calls.'),
  inFlight: z.number().int().describe('Calls under way.'),
  latencyMs: z.number().describe('Average time of its calls of late; 0 while nothing is known.'),
  lastAnswerAt: z.string().optional().describe('When it last answered a call or a check.'),
  restarts: z.number().int(),
  lastBreak: z
    .object({ at: z.string(), reason: z.string() })
    .optional()
    .describe('When and why it broke last.'),
  pid: z.number().int().optional(),
});

/** One line of a server's standard error. */
export const logLineShape = z.object({
  at: z.string(),
  line: z.string(),
  position: z.string().describe('Reading goes on behind it.'),
});

const idParams = z.object({ id: z.string().min(1).max(200) });

/** What `mcpServers` entries take; the config schema checks it in full. */
const serverEntry = z.record(z.string(), z.unknown());

/** Listing, adding, starting and stopping of servers. */
export const serverRoutes = {
  serversList: defineRoute({
    method: 'GET',
    path: '/api/v1/servers',
    summary: 'Lists server instances in port order.',
    query: z.object({
      ...pageQuery,
      category: z.string().optional(),
      state: z.enum(instanceStates).optional(),
      select: z.string().max(4000).optional().describe('A selector, e.g. `category=database,tag=blue`.'),
    }),
    response: z.object({ items: z.array(serverShape), nextCursor: z.string().optional() }),
  }),
  serversAdd: defineRoute({
    method: 'POST',
    path: '/api/v1/servers',
    summary:
      'Adds a server under a name, in the form of an mcpServers entry, and starts it; kept over restarts.',
    body: z.strictObject({ name: z.string().min(1).max(64), entry: serverEntry }),
    response: serverShape,
  }),
  serversInspect: defineRoute({
    method: 'GET',
    path: '/api/v1/servers/:id',
    summary: 'One instance with its tools, replicas and server identity.',
    params: idParams,
    response: serverShape.extend({
      url: z.string().describe('Its single-server MCP endpoint.'),
      serverInfo: z.record(z.string(), z.unknown()).optional(),
      capabilities: z.record(z.string(), z.unknown()).optional(),
      instructions: z.string().optional(),
      toolNames: z.array(z.string()),
      policy: z.string().describe('How calls are spread over its replicas and its group.'),
      failOpen: z.boolean().describe('Calls go to sick replicas or instances, for want of healthy ones.'),
      replicaStates: z.array(replicaShape),
      scale: scaleShape,
      queue: queueShape.optional(),
    }),
  }),
  serversRemove: defineRoute({
    method: 'DELETE',
    path: '/api/v1/servers/:id',
    summary: 'Stops an added server and forgets it.',
    params: idParams,
    response: z.object({ removed: z.string() }),
  }),
  serversStart: defineRoute({
    method: 'POST',
    path: '/api/v1/servers/:id/start',
    summary: 'Starts an instance.',
    params: idParams,
    response: serverShape,
  }),
  serversStop: defineRoute({
    method: 'POST',
    path: '/api/v1/servers/:id/stop',
    summary: 'Stops an instance until it is started again.',
    params: idParams,
    response: serverShape,
  }),
  serversRestart: defineRoute({
    method: 'POST',
    path: '/api/v1/servers/:id/restart',
    summary: 'Restarts an instance; calls that come meanwhile wait.',
    params: idParams,
    response: serverShape,
  }),
  serversLogs: defineRoute({
    method: 'GET',
    path: '/api/v1/servers/:id/logs',
    summary:
      'The last lines an instance wrote to standard error; with `Accept: text/event-stream` as a stream.',
    params: idParams,
    query: z.object({
      tail: z.coerce.number().int().min(0).max(5000).optional().describe('So many at most. Default 200.'),
      since: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .describe('Only lines behind this position, or from this time on (ISO 8601).'),
    }),
    response: z.object({
      lines: z.array(logLineShape),
      next: z.string().describe('The position to go on from.'),
      reset: z.boolean().optional().describe('Lines behind the position are not kept any more.'),
    }),
  }),
} as const;
