/** What an instance tells its servers, and what it listens for: notifications, log level, subscriptions. */

import type { Connection } from '../transport/connection.ts';
import type { Instance } from './instance-types.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { PoolMember } from './member.ts';
import type { OwnInstances } from './own-instances.ts';
import type { Rest } from './rest.ts';
import type { SessionReplay } from './session-replay.ts';

export interface AudienceOptions {
  readonly members: readonly PoolMember[];
  readonly own: OwnInstances;
  readonly replay: SessionReplay;
  readonly lifecycle: Lifecycle;
  readonly rest: Rest;
  readonly liveConnections: () => Connection[];
  /** Somebody asks for a connection. */
  readonly onWanted: () => void;
}

type Audience = Pick<Instance, 'notify' | 'setLogLevel' | 'subscribe' | 'unsubscribe'>;

/** All go over the first replica, or over the connection of an owner. */
export function createAudience(options: AudienceOptions): Audience {
  const { members, own, replay, lifecycle, rest, liveConnections } = options;
  return {
    notify(method, params, owner) {
      if (owner) return own.notify(owner, method, params);
      if (method === 'notifications/roots/list_changed') replay.rootsChanged();
      for (const connection of liveConnections())
        if (connection.era === 'legacy') connection.notify(method, params);
    },
    async setLogLevel(level) {
      await Promise.all([replay.setLogLevel(level, liveConnections()), own.setLogLevel(level)]);
    },
    async subscribe(uri, owner) {
      if (!owner && replay.subscribed.has(uri)) return;
      await lifecycle.admit();
      if (owner) return await (await own.get(owner)).subscribe(uri);
      options.onWanted();
      const first = await members[0]?.acquire();
      await first?.subscribe(uri);
      replay.subscribed.add(uri);
    },
    async unsubscribe(uri, owner) {
      if (owner) return await (await own.find(owner.key))?.unsubscribe(uri);
      if (!replay.subscribed.delete(uri)) return;
      rest.used();
      await members[0]?.replica.connection?.unsubscribe(uri);
    },
  };
}
