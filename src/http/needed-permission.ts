/** What a request needs leave for, before anything of it is looked at but its method and path. */

import type { RouteDefinition } from '../contract/define-route.ts';
import { AppError } from '../kernel/errors.ts';
import type { Principal } from '../kernel/principal.ts';
import { mayDo, type Permission } from '../kernel/roles.ts';

/** For anybody: whether it runs, how to get in, and the way of a browser that has a ticket. */
const openPaths =
  /^\/(?:healthz|readyz|oauth\/upstream\/(?:start|callback)|\.well-known\/oauth-protected-resource(?:\/.*)?)$/;

export function isOpenPath(path: string): boolean {
  return openPaths.test(path);
}

/** Of a route that does not say otherwise: looking needs `read`, all else `manage`. */
export function permissionOf({ method, needs }: Pick<RouteDefinition, 'method' | 'needs'>): Permission {
  return needs ?? (method === 'GET' ? 'read' : 'manage');
}

/** Throws FORBIDDEN. */
export function assertMay({ role }: Principal, permission: Permission): void {
  if (!mayDo(role, permission))
    throw new AppError('FORBIDDEN', {
      problem: `the role ${role} does not include ${permission}`,
      role,
      permission,
    });
}
