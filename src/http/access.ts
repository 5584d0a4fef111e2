/** Who sent each request that is under way, and what they may do. */

import type { IncomingMessage } from 'node:http';
import type { Authenticate } from '../identity/authenticate.ts';
import { type Action, actionTable } from '../kernel/actions.ts';
import type { Authorizer, ServerName } from '../kernel/authorizer.ts';
import { isAppError } from '../kernel/errors.ts';
import { codeOf } from '../kernel/observations.ts';
import { localOwner, type Principal } from '../kernel/principal.ts';
import { createOriginOf, type OriginOf } from './protected-resource.ts';

export interface Access {
  /** True when requests have to say who sends them. */
  readonly isRequired: boolean;
  /** Finds out who sends a request. Throws UNAUTHENTICATED. */
  admit(request: IncomingMessage): Promise<void>;
  /** Of a request that was admitted. */
  principalOf(request: IncomingMessage): Principal;
  /** Where a request comes from, past trusted proxies. */
  addressOf(request: IncomingMessage): string;
  /** Runs a check of a request, and tells of what it throws. */
  counted(request: IncomingMessage, check: () => void): void;
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
  /** Of the certificate that the client of a request showed; absent where none is asked for. */
  readonly thumbprint?: ((request: IncomingMessage) => string | undefined) | undefined;
  /** Hears of requests that were refused. */
  readonly onRefused?: ((refusal: RefusedRequest) => void) | undefined;
  /** The origin as the client knows it. */
  readonly originOf?: OriginOf | undefined;
  /** The address that a request comes from; that of the connection unless given. */
  readonly addressOf?: ((request: IncomingMessage) => string) | undefined;
  /** Counts wrong keys. */
  readonly failedKeys?: FailedKeys | undefined;
}

/** A request that was refused at the door, and what is known of it. */
export interface RefusedRequest {
  /** Of the error. */
  readonly code: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly principal?: Principal | undefined;
  /** Address that it came from. */
  readonly from?: string | undefined;
}

/** Wrong keys by the address that showed them. */
export interface FailedKeys {
  /** Throws RATE_LIMITED when there were too many. */
  check(address: string): void;
  note(address: string): void;
}

export function createAccess(options: AccessOptions = {}): Access {
  const { authenticate, authorizer, thumbprint, onRefused, failedKeys } = options;
  const { originOf = createOriginOf(), addressOf = ({ socket }) => socket.remoteAddress ?? '' } = options;
  if (authenticate && !authorizer) throw new Error('who is known needs somebody who says what they may do');
  const principals = new WeakMap<IncomingMessage, Principal>();
  /** Connections whose last key was right: whoever guesses from the same address does not shut them out. */
  const proven = new WeakSet<object>();

  async function admitCounted(request: IncomingMessage, check: () => Promise<Principal>, failed: FailedKeys) {
    const { socket, headers } = request;
    const address = addressOf(request);
    // A proxy's connection is that of many.
    const isProven = address === socket.remoteAddress && proven.has(socket);
    if (headers.authorization !== undefined && !isProven) failed.check(address);
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

  function tell(request: IncomingMessage, error: unknown): void {
    if (!onRefused) return;
    const { method = '', url = '/' } = request;
    const [path = ''] = url.split('?', 1);
    // Where nobody says who they are, whoever is refused is not the owner.
    const principal = principals.get(request);
    onRefused({ code: codeOf(error), method, path, principal, from: addressOf(request) });
  }

  function counted(request: IncomingMessage, check: () => void): void {
    try {
      check();
    } catch (error) {
      tell(request, error);
      throw error;
    }
  }

  function check(request: IncomingMessage, action: Action | readonly Action[], server?: ServerName): void {
    const principal = principalOf(request);
    if (typeof action !== 'string') authorizer?.assertMayAnywhere(principal, action);
    else if (actionTable[action].by === 'server')
      authorizer?.assertMay(principal, { action, server, remoteAddress: addressOf(request) });
    else authorizer?.assertMayAnywhere(principal, [action]);
  }

  return {
    isRequired: authenticate !== undefined,
    async admit(request) {
      if (!authenticate) return;
      try {
        const [path = '/'] = (request.url ?? '/').split('?', 1);
        const shown = {
          target: originOf(request) + path,
          thumbprint: thumbprint && (() => thumbprint(request)),
        };
        const check = () => authenticate(request.headers.authorization, shown);
        principals.set(request, failedKeys ? await admitCounted(request, check, failedKeys) : await check());
      } catch (error) {
        tell(request, error);
        throw error;
      }
    },
    principalOf,
    addressOf,
    counted,
    authorize(request, action, server) {
      if (authenticate) counted(request, () => check(request, action, server));
    },
  };
}
