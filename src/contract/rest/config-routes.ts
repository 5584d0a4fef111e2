/** Routes of the config. */

import { z } from 'zod';
import { defineRoute } from '../define-route.ts';

const reloadShape = z.object({
  added: z.array(z.string()).describe('Ids of servers that came.'),
  replaced: z.array(z.string()).describe('Ids of servers that changed; the former ones finish their calls.'),
  removed: z.array(z.string()).describe('Ids of servers that went; they finish their calls.'),
  failed: z
    .array(z.object({ id: z.string(), problem: z.string() }))
    .describe('Servers that could not be taken; one that ran before still runs as it was.'),
  needsRestart: z
    .array(z.string())
    .describe('Settings that differ from those of the start and hold after the next.'),
});
export type ReloadReport = z.infer<typeof reloadShape>;

export const configStatusShape = z.object({
  file: z.string().optional(),
  loadedAt: z.string(),
  watched: z.boolean().describe('Changes of the file are taken by themselves.'),
  problem: z.string().optional().describe('Why the file as it is now was not taken.'),
  needsRestart: z.array(z.string()),
});
export type ConfigStatus = z.infer<typeof configStatusShape>;

/** Taking a changed config. */
export const configRoutes = {
  configReload: defineRoute({
    method: 'POST',
    path: '/api/v1/config/reload',
    summary: 'Loads the config file again and takes its servers; one that is not valid changes nothing.',
    response: reloadShape,
  }),
} as const;
