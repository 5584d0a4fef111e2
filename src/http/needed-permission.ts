/** What a request needs leave for, before anything of it is looked at but its method and path. */

import type { RouteDefinition } from '../contract/define-route.ts';
import { type Action, isAction } from '../kernel/actions.ts';

/** For anybody: whether it runs, how to get in, and the way of a browser that has a ticket. */
const openPaths =
  /^\/(?:healthz|readyz|oauth\/upstream\/(?:start|callback)|\.well-known\/oauth-protected-resource(?:\/.*)?)$/;

export function isOpenPath(path: string): boolean {
  return openPaths.test(path);
}

/** The nouns of actions, by the first part of a path under `/api/v1`. */
const nouns: Readonly<Record<string, string>> = {
  status: 'system',
  shutdown: 'system',
  config: 'system',
  servers: 'servers',
  'servers-bulk': 'servers',
  'server-changes': 'servers',
  registrations: 'servers',
  discovery: 'servers',
  deployments: 'deployments',
  bundles: 'bundles',
  'memory-remotes': 'remotes',
  policy: 'policy',
  audit: 'audit',
  'audit-verify': 'audit',
  limits: 'limits',
  secrets: 'secrets',
};

/** What opens `/mcp`: where it leads to is looked at call by call. */
export const gatewayActions: readonly Action[] = [
  'tools:call',
  'prompts:get',
  'resources:read',
  'methods:call',
];

/**
 * Of a route: what it says, else by its path. Looking is `read`, all else `manage`, unless it `needs` another verb. A path
 * of which nothing is known is the system's.
 */
export function permissionOf({
  action,
  method,
  path,
  needs,
}: Pick<RouteDefinition, 'action' | 'method' | 'path' | 'needs'>): Action {
  if (action !== undefined) return action;
  const noun = knownNounOf(path) ?? 'system';
  const verb = needs ?? (method === 'GET' ? 'read' : 'manage');
  const named = `${noun}:${verb}`;
  if (isAction(named)) return named;
  return verb === 'own' ? 'system:own' : verb === 'read' ? 'system:read' : 'system:manage';
}

/** Undefined for a path that nobody has given a noun. */
export function knownNounOf(path: string): string | undefined {
  return nouns[path.replace('/api/v1/', '').split('/', 1)[0] ?? ''];
}
