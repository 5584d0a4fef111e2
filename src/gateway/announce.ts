/**
 * Tells clients that lists have changed: once per change that they can see, never more often than the pause,
 * however many upstreams change how often.
 */

import type { ListKind } from '../catalog/listing.ts';
import type { Clock } from '../kernel/clock.ts';
import type { RpcNotification } from '../kernel/json-rpc.ts';
import type { MountKey, Mounts } from './mounts.ts';

/** A client that listens: a legacy session or a modern listen stream. */
export interface Listener {
  readonly mount: MountKey;
  readonly send: (notification: RpcNotification) => void;
}

export interface Announcer {
  add(listener: Listener): () => void;
  /** Something in the pool may have changed what a mount lists. */
  touch(): void;
  /** Who sees what has changed: everybody is told to look again. */
  tellAll(): void;
  close(): void;
}

const notificationOf: Readonly<Record<ListKind, string>> = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
  resourceTemplates: 'notifications/resources/list_changed',
};

export function createAnnouncer(mounts: Mounts, clock: Clock, pauseMs = 250): Announcer {
  const audiences = new Map<MountKey, Set<Listener>>();
  const known = new Map<MountKey, Readonly<Record<ListKind, string>>>();
  let cancel: (() => void) | undefined;

  function fingerprint(mount: MountKey): Readonly<Record<ListKind, string>> | undefined {
    try {
      return mounts.view(mount).fingerprint;
    } catch {
      // The server of this mount was removed; its clients learn so from their next request.
      return undefined;
    }
  }

  function announce(mount: MountKey, audience: ReadonlySet<Listener>): void {
    const before = known.get(mount);
    const now = fingerprint(mount);
    if (!now) return;
    known.set(mount, now);
    const kinds = (Object.keys(now) as ListKind[]).filter((kind) => before?.[kind] !== now[kind]);
    for (const method of new Set(kinds.map((kind) => notificationOf[kind]))) {
      for (const listener of audience) listener.send({ jsonrpc: '2.0', method });
    }
  }

  return {
    add(listener) {
      const audience = audiences.get(listener.mount) ?? new Set<Listener>();
      audiences.set(listener.mount, audience);
      audience.add(listener);
      if (!known.has(listener.mount)) {
        const now = fingerprint(listener.mount);
        if (now) known.set(listener.mount, now);
      }
      return () => {
        audience.delete(listener);
        if (audience.size > 0) return;
        audiences.delete(listener.mount);
        known.delete(listener.mount);
      };
    },
    touch() {
      cancel ??= clock.after(pauseMs, () => {
        cancel = undefined;
        for (const [mount, audience] of audiences) announce(mount, audience);
      });
    },
    tellAll() {
      const methods = new Set(Object.values(notificationOf));
      for (const audience of audiences.values())
        for (const listener of audience)
          for (const method of methods) listener.send({ jsonrpc: '2.0', method });
    },
    close() {
      cancel?.();
      audiences.clear();
    },
  };
}
