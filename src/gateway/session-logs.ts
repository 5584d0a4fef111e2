/** Log messages of upstreams to the legacy sessions that asked for them, each at its own level. */

import type { Clock } from '../kernel/clock.ts';
import { isJsonObject, type RpcNotification } from '../kernel/json-rpc.ts';
import type { Principal } from '../kernel/principal.ts';
import { logLevels, passesLogLevel } from '../kernel/protocol.ts';
import type { Instance } from '../pool/instance.ts';
import type { MountKey } from './mounts.ts';
import { ownerOf } from './owner.ts';
import type { Sessions } from './sessions.ts';
import type { View } from './view.ts';

export interface SessionLogs {
  /** Hands a message that belongs to no call to every session that sees its server, or to its owner's. */
  deliver(instance: Instance, notification: RpcNotification, owner?: string): void;
  /** Sets the upstreams of a view to the most talkative level that any session asked for; one second at most. */
  raiseUpstreams(view: View): Promise<void>;
}

/** One upstream that does not answer holds nobody up longer. */
const patienceMs = 1000;

/** `viewOf` gives what a caller sees of a mount, the owner when none is named. */
export function createSessionLogs(
  viewOf: (mount: MountKey, principal?: Principal) => View,
  sessions: Sessions,
  clock: Clock,
): SessionLogs {
  function shows(mount: MountKey, instance: Instance, principal?: Principal): boolean {
    try {
      return viewOf(mount, principal).groups.some(({ instances }) => instances.includes(instance));
    } catch {
      // The server of that mount is being removed; the sessions of others go on.
      return false;
    }
  }

  /** The lowest rank asked for, by mount: there are few mounts and may be many sessions. */
  function ranks(): Map<MountKey, number> {
    const lowest = new Map<MountKey, number>();
    for (const { mount, logLevel } of sessions.all()) {
      if (logLevel === undefined) continue;
      lowest.set(mount, Math.min(lowest.get(mount) ?? Infinity, logLevels.indexOf(logLevel)));
    }
    return lowest;
  }

  async function raise(instance: Instance, lowest: ReadonlyMap<MountKey, number>): Promise<void> {
    const { listing } = instance;
    if (listing?.era !== 'legacy' || !isJsonObject(listing.server.capabilities['logging'])) return;
    let rank = Infinity;
    for (const [mount, own] of lowest) if (shows(mount, instance)) rank = Math.min(rank, own);
    const level = logLevels[rank];
    if (level !== undefined) await instance.setLogLevel(level);
  }

  return {
    deliver(instance, notification, owner) {
      for (const session of sessions.all()) {
        const { logLevel, mount } = session;
        if (owner !== undefined && ownerOf(instance.spec, session.peer)?.key !== owner) continue;
        if (logLevel === undefined || !passesLogLevel(notification.params?.['level'], logLevel)) continue;
        if (shows(mount, instance, session.peer.principal)) session.send(notification);
      }
    },
    async raiseUpstreams(view) {
      const lowest = ranks();
      const instances = view.groups.flatMap((group) => group.instances);
      const raised = Promise.all(instances.map((instance) => raise(instance, lowest)));
      const late = Promise.withResolvers<void>();
      const cancelTimer = clock.after(patienceMs, late.resolve);
      await Promise.race([raised, late.promise]);
      cancelTimer();
    },
  };
}
