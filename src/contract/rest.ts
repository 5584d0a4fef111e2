/** The REST API under /api/v1, route by route. Memory routes take their shapes from the operations table. */

import { z } from 'zod';
import { memoryOperations } from '../kernel/memory-operations.ts';
import { defineRoute } from './define-route.ts';

export const instanceStates = [
  'stopped',
  'starting',
  'ready',
  'degraded',
  'unhealthy',
  'draining',
  'sleeping',
  'failed',
] as const;

export const serverShape = z.object({
  id: z.string().describe('Instance id, e.g. sqlite-3104.'),
  name: z.string().describe('Name of its definition, e.g. sqlite.'),
  alias: z.string().describe('Prefix of its tools in /mcp; empty for the memory server.'),
  title: z.string(),
  category: z.string(),
  port: z.number().int(),
  transport: z.enum(['in-process', 'stdio', 'streamable-http']),
  state: z.enum(instanceStates),
  reason: z.string().optional().describe('Why it is in a state that is not ready.'),
  era: z.enum(['legacy', 'modern']).optional(),
  replicas: z.number().int(),
  lazy: z.boolean(),
  restarts: z.number().int(),
  calls: z.number().int(),
  errors: z.number().int(),
  pid: z.number().int().optional(),
  tools: z.number().int().optional(),
  startedAt: z.string().optional(),
});
export type ServerItem = z.infer<typeof serverShape>;

export const toolShape = z.object({
  name: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.record(z.string(), z.unknown()).optional(),
  annotations: z.record(z.string(), z.unknown()).optional(),
  server: z.string().describe('Instance id.'),
});
export type ToolItem = z.infer<typeof toolShape>;

const pageQuery = {
  cursor: z.string().max(4096).optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional().describe('Default 100.'),
};
const idParams = z.object({ id: z.string().min(1).max(200) });

/** A query that names one tag carries text, not a list. */
const memoryListQuery = memoryOperations.list.input.extend({
  tags: z.preprocess(
    (tags) => (typeof tags === 'string' ? [tags] : tags),
    memoryOperations.list.input.shape.tags,
  ),
});

/** What `mcpServers` entries take; the config schema checks it in full. */
const serverEntry = z.record(z.string(), z.unknown());

export const routes = {
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
      rssBytes: z.number().int(),
      sessions: z.number().int(),
      servers: z.object({ total: z.number().int(), byState: z.record(z.string(), z.number().int()) }),
      memory: memoryOperations.stats.output,
    }),
  }),
  shutdown: defineRoute({
    method: 'POST',
    path: '/api/v1/shutdown',
    summary: 'Drains and stops the coordinator.',
    response: z.object({ stopping: z.literal(true) }),
  }),
  serversList: defineRoute({
    method: 'GET',
    path: '/api/v1/servers',
    summary: 'Lists server instances in port order.',
    query: z.object({
      ...pageQuery,
      category: z.string().optional(),
      state: z.enum(instanceStates).optional(),
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
    summary: 'Stops and starts an instance.',
    params: idParams,
    response: serverShape,
  }),
  serversLogs: defineRoute({
    method: 'GET',
    path: '/api/v1/servers/:id/logs',
    summary: 'The last lines an instance wrote to standard error, oldest first.',
    params: idParams,
    query: z.object({ tail: z.coerce.number().int().min(1).max(5000).optional().describe('Default 200.') }),
    response: z.object({ lines: z.array(z.object({ at: z.string(), line: z.string() })) }),
  }),
  toolsList: defineRoute({
    method: 'GET',
    path: '/api/v1/tools',
    summary: 'Lists tools under their /mcp names.',
    query: z.object({ ...pageQuery, server: z.string().optional(), category: z.string().optional() }),
    response: z.object({ items: z.array(toolShape), nextCursor: z.string().optional() }),
  }),
  toolsCall: defineRoute({
    method: 'POST',
    path: '/api/v1/tools/call',
    summary: 'Calls a tool by its /mcp name.',
    body: z.strictObject({
      name: z.string().min(1),
      arguments: z.record(z.string(), z.unknown()).optional(),
    }),
    response: z.object({
      content: z.array(z.record(z.string(), z.unknown())),
      structuredContent: z.record(z.string(), z.unknown()).optional(),
      isError: z.boolean().optional(),
    }),
  }),
  memoryRetrieve: defineRoute({
    method: 'GET',
    path: '/api/v1/memory/:scope/*',
    summary: 'Reads a memory; the rest of the path is the key.',
    query: memoryOperations.retrieve.input.pick({ at: true }),
    response: memoryOperations.retrieve.output,
  }),
  memoryStore: defineRoute({
    method: 'PUT',
    path: '/api/v1/memory/:scope/*',
    summary: 'Stores a memory; the rest of the path is the key.',
    body: memoryOperations.store.input.omit({ key: true, scope: true }),
    response: memoryOperations.store.output,
  }),
  memoryDelete: defineRoute({
    method: 'DELETE',
    path: '/api/v1/memory/:scope/*',
    summary: 'Deletes a memory; its history stays.',
    query: memoryOperations.delete.input.pick({ ifMatch: true }),
    response: memoryOperations.delete.output,
  }),
  memoryList: defineRoute({
    method: 'GET',
    path: '/api/v1/memory',
    summary: 'Lists memories.',
    query: memoryListQuery,
    response: memoryOperations.list.output,
  }),
  memorySearch: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-search',
    summary: 'Searches memories.',
    body: memoryOperations.search.input,
    response: memoryOperations.search.output,
  }),
  memoryHistory: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-history',
    summary: 'Versions of a memory.',
    body: memoryOperations.history.input,
    response: memoryOperations.history.output,
  }),
  memoryDiff: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-diff',
    summary: 'Compares two versions of a memory.',
    body: memoryOperations.diff.input,
    response: memoryOperations.diff.output,
  }),
  memoryRestore: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-restore',
    summary: 'Restores a version of a memory, of all under a prefix, or of all.',
    body: memoryOperations.restore.input,
    response: memoryOperations.restore.output,
  }),
  memoryStoreMany: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-store-many',
    summary: 'Stores up to 1,000 memories, all or none.',
    body: memoryOperations.store_many.input,
    response: memoryOperations.store_many.output,
  }),
  memoryAppend: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-append',
    summary: 'Adds to the end of a text or a list.',
    body: memoryOperations.append.input,
    response: memoryOperations.append.output,
  }),
  memoryIncrement: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-increment',
    summary: 'Adds to a number.',
    body: memoryOperations.increment.input,
    response: memoryOperations.increment.output,
  }),
  memorySnapshot: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-snapshot',
    summary: 'Creates, lists or deletes snapshots.',
    body: memoryOperations.snapshot.input,
    response: memoryOperations.snapshot.output,
  }),
  memoryStats: defineRoute({
    method: 'GET',
    path: '/api/v1/memory-stats',
    summary: 'Counts keys, bytes and commits.',
    response: memoryOperations.stats.output,
  }),
} as const;

export type RouteName = keyof typeof routes;

/** RFC 9457 problem details with our code, the error's data and its log id. */
export const problemShape = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  id: z.string(),
  data: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof problemShape>;
