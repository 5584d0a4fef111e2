/** The modern era's one long `subscriptions/listen`: kept open, widened for each resource, reopened when it breaks. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import {
  isJsonObject,
  type JsonObject,
  RpcError,
  rpcCodes,
  type RpcNotification,
} from '../../kernel/json-rpc.ts';
import { metaKeys } from '../../kernel/protocol.ts';
import { modernMeta } from './outgoing-params.ts';

export interface ListenHandlers {
  /** `notifications/subscriptions/acknowledged` with the part of the filter that the server honours. */
  onAcknowledged(honoured: JsonObject): void;
  onNotification(notification: RpcNotification): void;
  /** The stream ended; with an RpcError when the server refused it. */
  onEnd(error?: Error): void;
}

/** Opens one stream; the returned function closes it, after which no handler may be called. */
export type OpenListen = (params: JsonObject, handlers: ListenHandlers) => () => void;

export interface Listen {
  /** Opens the stream if the server announces changes of its lists. */
  start(): void;
  /** Resolves when the server acknowledged the resource; rejects METHOD_NOT_FOUND when it does not honour it. */
  add(uri: string): Promise<void>;
  remove(uri: string): void;
  close(): void;
}

const firstDelayMs = 1000;
const longestDelayMs = 30_000;

const listKinds = [
  { capability: 'tools', field: 'toolsListChanged' },
  { capability: 'prompts', field: 'promptsListChanged' },
  { capability: 'resources', field: 'resourcesListChanged' },
] as const;

interface Stream {
  readonly uris: ReadonlySet<string>;
  readonly openedAtMs: number;
  honoured: JsonObject | undefined;
  close: () => void;
}

interface Waiter {
  readonly uri: string;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A handler's message without the stamp that only we need. */
function unstamped(notification: RpcNotification): RpcNotification {
  const meta = notification.params?.['_meta'];
  if (!isJsonObject(meta) || !(metaKeys.subscriptionId in meta)) return notification;
  const { [metaKeys.subscriptionId]: _, ...rest } = meta;
  const { _meta: __, ...params } = notification.params ?? {};
  return { ...notification, params: Object.keys(rest).length > 0 ? { ...params, _meta: rest } : params };
}

export function createListen(deps: {
  capabilities: JsonObject;
  open: OpenListen;
  clock: Clock;
  onNotification: (notification: RpcNotification) => void;
}): Listen {
  const { capabilities, clock } = deps;
  const lists = listKinds.filter((kind) => {
    const capability = capabilities[kind.capability];
    return isJsonObject(capability) && capability['listChanged'] === true;
  });
  const wanted = new Set<string>();
  let waiters: Waiter[] = [];
  /** The stream that serves; `next` replaces it once acknowledged, so that no change is missed between the two. */
  let current: Stream | undefined;
  let next: Stream | undefined;
  let cancelRetry: (() => void) | undefined;
  let delayMs = firstDelayMs;
  let hadGap = false;
  let closed = false;

  function settleWaiters(covered: (uri: string) => boolean, settle: (waiter: Waiter) => void): void {
    const mine = waiters.filter((waiter) => covered(waiter.uri));
    waiters = waiters.filter((waiter) => !mine.includes(waiter));
    mine.forEach(settle);
  }

  function announceGap(honoured: JsonObject): void {
    if (!hadGap) return;
    hadGap = false;
    for (const kind of lists) {
      if (honoured[kind.field] !== true) continue;
      deps.onNotification({ jsonrpc: '2.0', method: `notifications/${kind.capability}/list_changed` });
    }
    for (const uri of urisOf(honoured)) {
      deps.onNotification({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
    }
  }

  function onAcknowledged(stream: Stream, honoured: JsonObject): void {
    if (stream !== next) return;
    next = undefined;
    stream.honoured = honoured;
    const old = current;
    current = stream;
    old?.close();
    announceGap(honoured);
    const granted = urisOf(honoured);
    settleWaiters(
      (uri) => stream.uris.has(uri),
      (waiter) => {
        if (granted.has(waiter.uri)) return waiter.resolve();
        wanted.delete(waiter.uri);
        waiter.reject(new AppError('METHOD_NOT_FOUND', { method: 'resources/subscribe' }));
      },
    );
    if (isStale()) openNext();
  }

  function onEnd(stream: Stream, error: Error | undefined): void {
    if (stream !== current && stream !== next) return;
    // A server that ends each stream at once is asked ever more rarely.
    if (clock.now() - stream.openedAtMs >= longestDelayMs) delayMs = firstDelayMs;
    if (stream === current) {
      current = undefined;
      hadGap = true;
      // The server granted nothing and said so: asking again would only repeat that.
      if (stream.honoured && Object.keys(stream.honoured).length === 0) return;
    } else {
      next = undefined;
      if (error instanceof RpcError) {
        const known = error;
        settleWaiters(
          (uri) => stream.uris.has(uri),
          (waiter) => {
            wanted.delete(waiter.uri);
            waiter.reject(known);
          },
        );
        if (error.code === rpcCodes.methodNotFound) return;
      }
    }
    if (!next && isStale()) retryLater();
  }

  function retryLater(): void {
    if (closed || cancelRetry) return;
    cancelRetry = clock.after(delayMs, () => {
      cancelRetry = undefined;
      if (!next && isStale()) openNext();
    });
    delayMs = Math.min(delayMs * 2, longestDelayMs);
  }

  /** True when the open stream does not cover what is wanted. */
  function isStale(): boolean {
    if (closed) return false;
    if (!current) return lists.length > 0 || wanted.size > 0;
    const { uris } = current;
    return uris.size !== wanted.size || [...wanted].some((uri) => !uris.has(uri));
  }

  function openNext(): void {
    cancelRetry?.();
    cancelRetry = undefined;
    if (wanted.size === 0 && lists.length === 0) {
      current?.close();
      current = undefined;
      return;
    }
    const stream: Stream = {
      uris: new Set(wanted),
      openedAtMs: clock.now(),
      honoured: undefined,
      close: () => {},
    };
    next = stream;
    const filter: JsonObject = Object.fromEntries(lists.map((kind) => [kind.field, true]));
    if (stream.uris.size > 0) filter['resourceSubscriptions'] = [...stream.uris];
    stream.close = deps.open(
      { notifications: filter, _meta: modernMeta(undefined) },
      {
        onAcknowledged: (honoured) => onAcknowledged(stream, honoured),
        onNotification: (notification) => {
          // While two streams overlap only the older one speaks, else each change would arrive twice.
          if (stream !== current) return;
          delayMs = firstDelayMs;
          deps.onNotification(unstamped(notification));
        },
        onEnd: (error) => onEnd(stream, error),
      },
    );
  }

  return {
    start() {
      if (isStale() && !next) openNext();
    },
    async add(uri) {
      if (closed) throw new AppError('REQUEST_CANCELLED');
      if (current?.uris.has(uri) && wanted.has(uri)) return;
      wanted.add(uri);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiters.push({ uri, resolve, reject });
      // Subscriptions of one tick share a stream.
      queueMicrotask(() => {
        if (!next && !closed && isStale()) openNext();
      });
      await promise;
    },
    remove(uri) {
      if (wanted.delete(uri) && current && !next) openNext();
    },
    close() {
      closed = true;
      cancelRetry?.();
      current?.close();
      next?.close();
      current = undefined;
      next = undefined;
      settleWaiters(
        () => true,
        (waiter) => waiter.reject(new AppError('REQUEST_CANCELLED')),
      );
    },
  };
}

function urisOf(honoured: JsonObject): Set<string> {
  const uris = honoured['resourceSubscriptions'];
  return new Set(Array.isArray(uris) ? uris.map(String) : []);
}
