/**
 * Where a conversation began: a modern server's `requestState` may mean something only to the process that
 * made it, so the retry goes back there while it lives.
 */

import { hash } from 'node:crypto';
import type { Connection, Instance } from '../pool/instance.ts';

export interface Origin {
  readonly instance: Instance;
  readonly connection: Connection;
}

export interface Affinity {
  remember(requestState: unknown, origin: Origin): void;
  find(requestState: unknown): Origin | undefined;
}

/** Keeps the newest `limit` states; an older one goes to any instance, as if there were no affinity. */
export function createAffinity(limit = 10_000): Affinity {
  const origins = new Map<string, Origin>();
  const keyOf = (requestState: string) => hash('sha1', requestState, 'base64');
  return {
    remember(requestState, origin) {
      if (typeof requestState !== 'string') return;
      origins.set(keyOf(requestState), origin);
      const [oldest] = origins.keys();
      if (origins.size > limit && oldest !== undefined) origins.delete(oldest);
    },
    find(requestState) {
      const origin = typeof requestState === 'string' ? origins.get(keyOf(requestState)) : undefined;
      return origin && origin.instance.isLive(origin.connection) ? origin : undefined;
    },
  };
}
