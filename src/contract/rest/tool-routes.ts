/** Routes of the tools of all servers. */

import { z } from 'zod';
import { defineRoute } from '../define-route.ts';
import { pageQuery } from './page-query.ts';

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

/** Listing and calling of tools. */
export const toolRoutes = {
  toolsList: defineRoute({
    method: 'GET',
    path: '/api/v1/tools',
    action: 'tools:call',
    summary: 'Lists tools under their /mcp names.',
    query: z.object({ ...pageQuery, server: z.string().optional(), category: z.string().optional() }),
    response: z.object({ items: z.array(toolShape), nextCursor: z.string().optional() }),
  }),
  toolsCall: defineRoute({
    method: 'POST',
    path: '/api/v1/tools/call',
    action: 'tools:call',
    audit: 'elsewhere',
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
} as const;
