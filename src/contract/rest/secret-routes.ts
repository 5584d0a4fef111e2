/** Routes of the encrypted local store. No answer holds a value. */

import { z } from 'zod';
import { defineRoute } from '../define-route.ts';

/** A secret without what it holds. */
const secretItemShape = z.object({
  name: z.string(),
  owner: z.string().describe('Id of the user whose it is; empty for one of the whole tenant.'),
  version: z.int(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
});

const placeQuery = z.object({
  user: z
    .string()
    .max(256)
    .optional()
    .describe('Id of the user whose it is; of the whole tenant when absent.'),
});
const nameParams = z.object({ name: z.string().min(1).max(128) });

/** Listing, setting and removing. */
export const secretRoutes = {
  secretsList: defineRoute({
    method: 'GET',
    path: '/api/v1/secrets',
    summary: 'Lists secrets by name, never their values.',
    response: z.object({ items: z.array(secretItemShape) }),
    needs: 'manage',
  }),
  secretsSet: defineRoute({
    method: 'PUT',
    path: '/api/v1/secrets/:name',
    summary: 'Keeps a new version of a secret; servers that use it get it at once.',
    params: nameParams,
    query: placeQuery,
    body: z.strictObject({
      value: z.string().min(1).max(65_536),
      expiresAt: z.iso.datetime().optional().describe('When it runs out; the log tells ahead of it.'),
    }),
    response: secretItemShape,
  }),
  secretsRemove: defineRoute({
    method: 'DELETE',
    path: '/api/v1/secrets/:name',
    summary: 'Forgets a secret, all its versions.',
    params: nameParams,
    query: placeQuery,
    response: z.object({ removed: z.string() }),
  }),
} as const;
