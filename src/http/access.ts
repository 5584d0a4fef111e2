/** Who sent each request that is under way, and what they may do. */

import type { IncomingMessage } from 'node:http';
import type { Authenticate } from '../identity/authenticate.ts';
import { localOwner, type Principal } from '../kernel/principal.ts';
import type { Permission } from '../kernel/roles.ts';
import { assertMay } from './needed-permission.ts';

export interface Access {
  /** True when requests have to say who sends them. */
  readonly isRequired: boolean;
  /** Finds out who sends a request. Throws UNAUTHENTICATED. */
  admit(request: IncomingMessage): Promise<void>;
  /** Of a request that was admitted. */
  principalOf(request: IncomingMessage): Principal;
  /** Throws FORBIDDEN. */
  authorize(request: IncomingMessage, permission: Permission): void;
}

/** Without `authenticate` everybody who gets here is the owner: see `guards.ts` for who does. */
export function createAccess(authenticate: Authenticate | undefined): Access {
  const principals = new WeakMap<IncomingMessage, Principal>();

  function principalOf(request: IncomingMessage): Principal {
    const known = authenticate ? principals.get(request) : localOwner;
    // Nobody gets further than this without having been admitted.
    if (!known) throw new Error('a request was not admitted');
    return known;
  }

  return {
    isRequired: authenticate !== undefined,
    async admit(request) {
      if (authenticate) principals.set(request, await authenticate(request.headers.authorization));
    },
    principalOf,
    authorize(request, permission) {
      if (authenticate) assertMay(principalOf(request), permission);
    },
  };
}
