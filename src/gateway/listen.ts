/** `subscriptions/listen` of the modern era: one long stream of the changes a client asked for. */

import type { ListKind } from '../catalog/listing.ts';
import { AppError } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject, type RpcNotification } from '../kernel/json-rpc.ts';
import type { Peer } from '../kernel/protocol.ts';
import type { Announcer } from './announce.ts';
import type { MountKey } from './mounts.ts';
import { type OnUpdate, type Subscriptions, toUpdateNotification } from './subscriptions.ts';
import { capabilitiesOf, type View } from './view.ts';

export interface ListenStream {
  /** The part of the filter that is served. */
  readonly honored: JsonObject;
  close(): Promise<void>;
}

const listFilters: Readonly<Record<string, { capability: ListKind; method: string }>> = {
  toolsListChanged: { capability: 'tools', method: 'notifications/tools/list_changed' },
  promptsListChanged: { capability: 'prompts', method: 'notifications/prompts/list_changed' },
  resourcesListChanged: { capability: 'resources', method: 'notifications/resources/list_changed' },
};

const maxUris = 1000;

function urisOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > maxUris || value.some((uri) => typeof uri !== 'string')) {
    throw new AppError('INVALID_INPUT', {
      field: 'notifications.resourceSubscriptions',
      problem: `must be a list of at most ${maxUris} URIs`,
    });
  }
  return value as string[];
}

/** Starts to listen; `send` gets plain notifications, the caller stamps the subscription id. */
export async function openListen(
  parts: { readonly announcer: Announcer; readonly subscriptions: Subscriptions },
  view: View,
  filter: unknown,
  peer: Peer,
  send: (notification: RpcNotification) => void,
): Promise<ListenStream> {
  if (!isJsonObject(filter))
    throw new AppError('INVALID_INPUT', {
      field: 'notifications',
      problem: 'is required: which changes to listen to',
    });
  const uris = urisOf(filter['resourceSubscriptions']);
  const capabilities = capabilitiesOf(view);
  const capable = (name: string, flag: string) =>
    isJsonObject(capabilities[name]) && capabilities[name][flag] === true;
  const honored: JsonObject = {};
  const methods = new Set<string>();
  for (const [field, { capability, method }] of Object.entries(listFilters)) {
    if (filter[field] !== true || !capable(capability, 'listChanged')) continue;
    honored[field] = true;
    methods.add(method);
  }
  const closers: (() => Promise<void>)[] = [];
  if (methods.size > 0) {
    const leave = parts.announcer.add({
      mount: view.key as MountKey,
      send: (notification) => {
        if (methods.has(notification.method)) send(notification);
      },
    });
    closers.push(async () => leave());
  }
  if (uris.length > 0 && capable('resources', 'subscribe')) {
    honored['resourceSubscriptions'] = uris;
    const onUpdate: OnUpdate = (uri, meta) => send(toUpdateNotification(uri, meta));
    // A URI the upstream refuses does not end the stream for the others.
    const watching = await Promise.allSettled(
      uris.map((uri) => parts.subscriptions.watch(view, uri, peer, onUpdate)),
    );
    for (const result of watching) if (result.status === 'fulfilled') closers.push(result.value);
  }
  return {
    honored,
    async close() {
      await Promise.all(closers.splice(0).map((close) => close()));
    },
  };
}
