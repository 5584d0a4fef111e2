/** Resource subscriptions counted per instance and URI, over sessions and listen streams alike. */

import { AppError } from '../kernel/errors.ts';
import type { JsonObject, RpcNotification } from '../kernel/json-rpc.ts';
import { metaKeys } from '../kernel/protocol.ts';
import type { Instance } from '../pool/instance.ts';
import type { View } from './view.ts';

export interface Watch {
  /** The URI as this client knows it. */
  readonly uri: string;
  /** Changes when another takes its place. */
  instance: Instance;
  readonly onUpdate: OnUpdate;
}

/** Hears of an update under the URI that was asked for, with what the upstream's `_meta` says. */
export type OnUpdate = (uri: string, meta: JsonObject | undefined) => void;

export interface Subscriptions {
  /** Starts watching; the returned function ends it. Rejects as the upstream does. */
  watch(view: View, uri: string, onUpdate: OnUpdate): Promise<() => Promise<void>>;
  /** Hands an upstream's `resources/updated` to everyone who watches. */
  publish(instance: Instance, uri: string, meta?: JsonObject): void;
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

export function createSubscriptions(): Subscriptions {
  const watches = new Map<Instance, Map<string, Set<Watch>>>();
  let size = 0;

  async function drop(uri: string, watch: Watch): Promise<void> {
    const { instance } = watch;
    const byUri = watches.get(instance);
    const set = byUri?.get(uri);
    if (!set?.delete(watch)) return;
    size -= 1;
    if (set.size > 0) return;
    byUri?.delete(uri);
    if (byUri?.size === 0) watches.delete(instance);
    await instance.unsubscribe(uri).catch(() => {});
  }

  return {
    get size() {
      return size;
    },
    async watch(view, uri, onUpdate) {
      const resolved = view.resolveUri(uri);
      // A group's instances are interchangeable, so the first one speaks for all.
      const instance = resolved?.group.instances[0];
      if (!resolved || !instance) throw new AppError('RESOURCE_NOT_FOUND', { uri });
      const byUri = watches.get(instance) ?? new Map<string, Set<Watch>>();
      watches.set(instance, byUri);
      const set = byUri.get(resolved.uri) ?? new Set<Watch>();
      byUri.set(resolved.uri, set);
      const watch: Watch = { uri, instance, onUpdate };
      set.add(watch);
      size += 1;
      try {
        await instance.subscribe(resolved.uri);
      } catch (error) {
        await drop(resolved.uri, watch);
        throw error;
      }
      return () => drop(resolved.uri, watch);
    },
    publish(instance, uri, meta) {
      for (const watch of watches.get(instance)?.get(uri) ?? []) watch.onUpdate(watch.uri, meta);
    },
    async move(from, to) {
      const byUri = watches.get(from);
      if (!byUri) return;
      watches.delete(from);
      watches.set(to, byUri);
      for (const set of byUri.values()) for (const watch of set) watch.instance = to;
      await Promise.allSettled([...byUri.keys()].map((uri) => to.subscribe(uri)));
    },
  };
}
