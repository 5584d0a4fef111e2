/** Resource subscriptions counted per instance and URI, over sessions and listen streams alike. */

import { AppError } from '../kernel/errors.ts';
import type { JsonObject, RpcNotification } from '../kernel/json-rpc.ts';
import { metaKeys, type Peer } from '../kernel/protocol.ts';
import type { Instance } from '../pool/instance.ts';
import { ownerOf } from './owner.ts';
import type { View } from './view.ts';

export interface Watch {
  /** The URI as this client knows it. */
  readonly uri: string;
  /** The URI as the server knows it. */
  readonly upstreamUri: string;
  readonly peer: Peer;
  /** Changes when another takes its place. */
  instance: Instance;
  readonly onUpdate: OnUpdate;
}

/** Hears of an update under the URI that was asked for, with what the upstream's `_meta` says. */
export type OnUpdate = (uri: string, meta: JsonObject | undefined) => void;

export interface Subscriptions {
  /** Starts watching; the returned function ends it. Rejects as the upstream does. */
  watch(view: View, uri: string, peer: Peer, onUpdate: OnUpdate): Promise<() => Promise<void>>;
  /** Hands an upstream's `resources/updated` to everyone who watches; to one owner if it came over that one's connection. */
  publish(instance: Instance, uri: string, meta?: JsonObject, owner?: string): void;
  /** Another instance has taken the place of one: who watched there watches here. What it refuses is watched no more. */
  move(from: Instance, to: Instance): Promise<void>;
  readonly size: number;
}

/** The notification of an update, as a client gets it: without the upstream's words about its own link. */
export function toUpdateNotification(uri: string, meta: JsonObject = {}): RpcNotification {
  const { [metaKeys.subscriptionId]: _ours, ...rest } = meta;
  const params = { uri, ...(Object.keys(rest).length > 0 && { _meta: rest }) };
  return { jsonrpc: '2.0', method: 'notifications/resources/updated', params };
}

/** What is counted: a URI, or where clients have connections of their own, a URI on one of them. */
function keyOf(uri: string, owner: string | undefined): string {
  return owner === undefined ? uri : `${owner} ${uri}`;
}

export function createSubscriptions(): Subscriptions {
  const watches = new Map<Instance, Map<string, Set<Watch>>>();
  let size = 0;

  function put(watch: Watch): void {
    const { instance, upstreamUri, peer } = watch;
    const byKey = watches.get(instance) ?? new Map<string, Set<Watch>>();
    watches.set(instance, byKey);
    const key = keyOf(upstreamUri, ownerOf(instance.spec, peer)?.key);
    const set = byKey.get(key) ?? new Set<Watch>();
    byKey.set(key, set);
    set.add(watch);
  }

  async function drop(watch: Watch): Promise<void> {
    const { instance, upstreamUri, peer } = watch;
    const owner = ownerOf(instance.spec, peer);
    const key = keyOf(upstreamUri, owner?.key);
    const byKey = watches.get(instance);
    const set = byKey?.get(key);
    if (!set?.delete(watch)) return;
    size -= 1;
    if (set.size > 0) return;
    byKey?.delete(key);
    if (byKey?.size === 0) watches.delete(instance);
    await instance.unsubscribe(upstreamUri, owner).catch(() => {});
  }

  async function subscribe({ instance, upstreamUri, peer }: Watch): Promise<void> {
    await instance.subscribe(upstreamUri, ownerOf(instance.spec, peer));
  }

  return {
    get size() {
      return size;
    },
    async watch(view, uri, peer, onUpdate) {
      const resolved = view.resolveUri(uri);
      // A group's instances are interchangeable, so the first one speaks for all.
      const instance = resolved?.group.instances[0];
      if (!resolved || !instance) throw new AppError('RESOURCE_NOT_FOUND', { uri });
      const watch: Watch = { uri, upstreamUri: resolved.uri, peer, instance, onUpdate };
      put(watch);
      size += 1;
      try {
        await subscribe(watch);
      } catch (error) {
        await drop(watch);
        throw error;
      }
      return () => drop(watch);
    },
    publish(instance, uri, meta, owner) {
      for (const watch of watches.get(instance)?.get(keyOf(uri, owner)) ?? [])
        watch.onUpdate(watch.uri, meta);
    },
    async move(from, to) {
      const sets = [...(watches.get(from)?.values() ?? [])];
      watches.delete(from);
      const moved = sets.flatMap((set) => [...set]);
      for (const watch of moved) {
        watch.instance = to;
        put(watch);
      }
      await Promise.allSettled(moved.map(subscribe));
    },
  };
}
