/** Who sent each request that is under way, and what they may do. */

import type { IncomingMessage } from 'node:http';
import type { Authenticate } from '../identity/authenticate.ts';
import { isAppError } from '../kernel/errors.ts';
import { codeOf } from '../kernel/observations.ts';
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
  /** Runs a check, and tells of what it throws. */
  counted(check: () => void): void;
  /** Throws FORBIDDEN. */
  authorize(request: IncomingMessage, permission: Permission): void;
}

export interface AccessOptions {
  /** Without it everybody who gets here is the owner: see `guards.ts` for who does. */
  readonly authenticate?: Authenticate | undefined;
  /** Of the certificate that the client of a request showed; absent where none is asked for. */
  readonly thumbprint?: ((request: IncomingMessage) => string | undefined) | undefined;
  /** Hears of requests that were refused, with the code of the error. */
  readonly onRefused?: ((code: string) => void) | undefined;
  /** Counts wrong keys. */
  readonly failedKeys?: FailedKeys | undefined;
}

/** Wrong keys by the address that showed them. */
export interface FailedKeys {
  /** Throws RATE_LIMITED when there were too many. */
  check(address: string): void;
  note(address: string): void;
}

export function createAccess(options: AccessOptions = {}): Access {
  const { authenticate, thumbprint, onRefused, failedKeys } = options;
  const principals = new WeakMap<IncomingMessage, Principal>();
  /** Connections whose last key was right: whoever guesses from the same address does not shut them out. */
  const proven = new WeakSet<object>();

  async function admitCounted(request: IncomingMessage, check: () => Promise<Principal>, failed: FailedKeys) {
    const { socket, headers } = request;
    const address = socket.remoteAddress ?? '';
    if (headers.authorization !== undefined && !proven.has(socket)) failed.check(address);
    try {
      const principal = await check();
      proven.add(socket);
      return principal;
    } catch (error) {
      proven.delete(socket);
      if (headers.authorization !== undefined && isAppError(error, 'UNAUTHENTICATED')) failed.note(address);
      throw error;
    }
  }

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
        const check = () =>
          authenticate(request.headers.authorization, thumbprint && (() => thumbprint(request)));
        principals.set(request, failedKeys ? await admitCounted(request, check, failedKeys) : await check());
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
