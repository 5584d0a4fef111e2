/** Routes of the Git remotes that the memory is exchanged with. */

import { z } from 'zod';
import { memoryOperations } from '../../kernel/memory/operations.ts';
import { defineRoute } from '../define-route.ts';

/** A remote as it can be added. The config's own remotes can be more: paths, ssh, and credentials from files. */
export const remoteEntryShape = z.strictObject({
  url: z.string().min(1).max(2000).describe('Over http or https, without user name and token.'),
  branch: z.string().max(200).optional().describe('Its branch that holds the memory. Default main.'),
  direction: z.enum(['both', 'pull', 'push']).optional().describe('Which way memories go. Default both.'),
  everySeconds: z
    .int()
    .min(0)
    .max(2_592_000)
    .optional()
    .describe('Seconds from one round to the next; 0 for only when asked. Default 300.'),
  username: z.string().max(200).optional().describe('Name that goes with the credential. Default git.'),
  credential: z
    .strictObject({
      env: z.string().regex(/^GIT_MEMORY_REMOTE_[A-Z0-9_]+$/, {
        error:
          'must be the name of an environment variable that begins with GIT_MEMORY_REMOTE_, so that no other secret can be sent to a remote',
      }),
    })
    .optional()
    .describe('Token or password, by the name of an environment variable of the coordinator.'),
});
export type RemoteEntry = z.infer<typeof remoteEntryShape>;

const nameShape = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, {
  error: 'must be small letters, digits and -, at most 32',
});

/** Listing, adding and removing of remotes. */
export const remoteRoutes = {
  remotesList: defineRoute({
    method: 'GET',
    path: '/api/v1/memory-remotes',
    summary: 'Lists the Git remotes and how it stands with each.',
    response: memoryOperations.sync.output,
  }),
  remotesAdd: defineRoute({
    method: 'POST',
    path: '/api/v1/memory-remotes',
    summary: 'Adds a Git remote over http or https; kept over restarts.',
    body: z.strictObject({ name: nameShape, entry: remoteEntryShape }),
    response: memoryOperations.sync.output,
  }),
  remotesRemove: defineRoute({
    method: 'DELETE',
    path: '/api/v1/memory-remotes/:name',
    summary: 'Forgets an added Git remote and answers what it was, so that it can be added again.',
    params: z.object({ name: nameShape }),
    response: z.object({ removed: z.string(), entry: remoteEntryShape }),
  }),
} as const;
