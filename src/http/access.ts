/** Who sent each request that is under way, and what they may do. */

import type { IncomingMessage } from 'node:http';
import type { Authenticate } from '../identity/authenticate.ts';
import { type Action, actionTable } from '../kernel/actions.ts';
import type { Authorizer, ServerName } from '../kernel/authorizer.ts';
import { codeOf } from '../kernel/observations.ts';
import { localOwner, type Principal } from '../kernel/principal.ts';

export interface Access {
  /** True when requests have to say who sends them. */
  readonly isRequired: boolean;
  /** Finds out who sends a request. Throws UNAUTHENTICATED. */
  admit(request: IncomingMessage): Promise<void>;
  /** Of a request that was admitted. */
  principalOf(request: IncomingMessage): Principal;
  /** Runs a check, and tells of what it throws. */
  counted(check: () => void): void;
  /**
   * Throws FORBIDDEN. Of tools and memories it is enough that one is open to the caller: which one is asked for, the
   * request's own handler looks at.
   */
  authorize(request: IncomingMessage, action: Action | readonly Action[], server?: ServerName): void;
}

export interface AccessOptions {
  /** Without it everybody who gets here is the owner: see `guards.ts` for who does. */
  readonly authenticate?: Authenticate | undefined;
  /** Who may do what; goes with `authenticate`. */
  readonly authorizer?: Pick<Authorizer, 'assertMay' | 'assertMayAnywhere'> | undefined;
  /** Hears of requests that were refused, with the code of the error. */
  readonly onRefused?: ((code: string) => void) | undefined;
}

export function createAccess({ authenticate, authorizer, onRefused }: AccessOptions = {}): Access {
  if (authenticate && !authorizer) throw new Error('who is known needs somebody who says what they may do');
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

  function check(request: IncomingMessage, action: Action | readonly Action[], server?: ServerName): void {
    const principal = principalOf(request);
    if (typeof action !== 'string') authorizer?.assertMayAnywhere(principal, action);
    else if (actionTable[action].by === 'server')
      authorizer?.assertMay(principal, { action, server, remoteAddress: request.socket.remoteAddress });
    else authorizer?.assertMayAnywhere(principal, [action]);
  }

  return {
    isRequired: authenticate !== undefined,
    async admit(request) {
      if (!authenticate) return;
      try {
        principals.set(request, await authenticate(request.headers.authorization));
      } catch (error) {
        onRefused?.(codeOf(error));
        throw error;
      }
    },
    principalOf,
    counted,
    authorize(request, action, server) {
      if (authenticate) counted(() => check(request, action, server));
    },
  };
}
