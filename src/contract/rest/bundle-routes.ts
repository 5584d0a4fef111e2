/** Routes of the bundles: chosen sets of tools under an endpoint of their own. */

import { z } from 'zod';
import { bundleNameShape, bundleShape } from '../../kernel/bundle-shape.ts';
import { defineRoute } from '../define-route.ts';

const nameParams = z.object({ name: bundleNameShape });

const bundleRowShape = z.object({
  name: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  source: z.enum(['config', 'added']).describe('Those of the config are changed there.'),
  url: z.string().describe('Its MCP endpoint.'),
  tools: z.number().int().describe('Tools that it shows now.'),
  missing: z.array(z.string()).describe('Chosen tools that there are not now.'),
});
export type BundleRow = z.infer<typeof bundleRowShape>;

const bundleDetailsShape = bundleRowShape.extend({
  chosen: z
    .array(
      z.object({
        name: z.string().describe('Name in the bundle.'),
        tool: z.string().describe('Name in /mcp.'),
        title: z.string().optional(),
        description: z.string().optional(),
        arguments: z.record(z.string(), z.unknown()).optional().describe('Settled arguments.'),
      }),
    )
    .describe('What it shows now, in order.'),
});

/** Listing, showing, adding and removing of bundles. */
export const bundleRoutes = {
  bundlesList: defineRoute({
    method: 'GET',
    path: '/api/v1/bundles',
    summary: 'Lists bundles by name.',
    response: z.object({ items: z.array(bundleRowShape) }),
  }),
  bundlesShow: defineRoute({
    method: 'GET',
    path: '/api/v1/bundles/:name',
    summary: 'One bundle with its tools.',
    params: nameParams,
    response: bundleDetailsShape,
  }),
  bundlesAdd: defineRoute({
    method: 'PUT',
    path: '/api/v1/bundles/:name',
    summary: 'Adds a bundle, or changes an added one; kept over restarts.',
    params: nameParams,
    body: bundleShape,
    response: bundleDetailsShape,
  }),
  bundlesRemove: defineRoute({
    method: 'DELETE',
    path: '/api/v1/bundles/:name',
    summary: 'Removes an added bundle.',
    params: nameParams,
    response: z.object({ removed: z.string() }),
  }),
} as const;
