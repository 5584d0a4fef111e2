/** Who sent each request that is under way, and what they may do. */

import type { IncomingMessage } from 'node:http';
import type { Authenticate } from '../identity/authenticate.ts';
import { codeOf } from '../kernel/observations.ts';
import { localOwner, type Principal } from '../kernel/principal.ts';
import type { Permission } from '../kernel/roles.ts';
import { createOriginOf, type OriginOf } from './protected-resource.ts';
import { assertMay } from './needed-permission.ts';

export interface Access {
  /** True when requests have to say who sends them. */
  readonly isRequired: boolean;
  /** Finds out who sends a request. Throws UNAUTHENTICATED. */
  admit(request: IncomingMessage): Promise<void>;
  /** Of a request that was admitted. */
  principalOf(request: IncomingMessage): Principal;
  /** Runs a check, and tells of what it throws. */
  counted(check: () => void): void;
  /** Throws FORBIDDEN. */
  authorize(request: IncomingMessage, permission: Permission): void;
}

export interface AccessOptions {
  /** Without it everybody who gets here is the owner: see `guards.ts` for who does. */
  readonly authenticate?: Authenticate | undefined;
  /** The origin as the client knows it. */
  readonly originOf?: OriginOf | undefined;
  /** Hears of requests that were refused, with the code of the error. */
  readonly onRefused?: ((code: string) => void) | undefined;
}

export function createAccess({
  authenticate,
  originOf = createOriginOf(),
  onRefused,
}: AccessOptions = {}): Access {
  const principals = new WeakMap<IncomingMessage, Principal>();

  function principalOf(request: IncomingMessage): Principal {
    const known = authenticate ? principals.get(request) : localOwner;
    // Nobody gets further than this without having been admitted.
    if (!known) throw new Error('a request was not admitted');
    return known;
  }

  function counted(check: () => void): void {
    try {
      check();
    } catch (error) {
      onRefused?.(codeOf(error));
      throw error;
    }
  }

  return {
    isRequired: authenticate !== undefined,
    async admit(request) {
      if (!authenticate) return;
      try {
        const [path = '/'] = (request.url ?? '/').split('?', 1);
        const target = originOf(request) + path;
        principals.set(request, await authenticate(request.headers.authorization, target));
      } catch (error) {
        onRefused?.(codeOf(error));
        throw error;
      }
    },
    principalOf,
    counted,
    authorize(request, permission) {
      if (authenticate) counted(() => assertMay(principalOf(request), permission));
    },
  };
}
