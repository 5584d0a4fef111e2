/** The legacy era's GET stream: messages of the server that belong to no request, reopened whenever it ends. */

import type { Clock } from '../../kernel/clock.ts';
import { type Exchange, type ExchangeEnd, type HttpClient } from './http-client.ts';
import { isSessionLost } from './legacy-session.ts';
import type { SsePosition } from './sse-parser.ts';

export interface GetStream {
  /** Opens the stream, or opens it anew for a new session. */
  start(): void;
  close(): void;
}

const firstDelayMs = 1000;
const longestDelayMs = 30_000;

export function createGetStream(deps: {
  client: HttpClient;
  clock: Clock;
  headers: () => Record<string, string>;
  onMessage: (message: unknown) => void;
  onSessionLost: () => void;
  /** The link broke; the stream is tried again by itself. */
  onBroken: () => void;
}): GetStream {
  const { client, clock } = deps;
  let exchange: Exchange | undefined;
  let cancelRetry: (() => void) | undefined;
  let delayMs = firstDelayMs;

  function open(lastEventId: string | undefined): void {
    const headers: Record<string, string> = { ...deps.headers(), accept: 'text/event-stream' };
    delete headers['content-type'];
    if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
    let isOpen = false;
    const openedAtMs = clock.now();
    const opened = client.exchange(
      { method: 'GET', headers },
      {
        onHead: () => {
          isOpen = true;
        },
        onMessage(message) {
          delayMs = firstDelayMs;
          deps.onMessage(message);
        },
        onEnd(end) {
          // A server that ends each stream at once is asked ever more rarely.
          if (clock.now() - openedAtMs >= longestDelayMs) delayMs = firstDelayMs;
          onEnd(end, isOpen, positionOf(opened, lastEventId));
        },
      },
    );
    exchange = opened;
  }

  /** A stream that ended before its first id is taken up where the one before it ended. */
  function positionOf(opened: Exchange, before: string | undefined): SsePosition {
    const position = opened.position();
    return { lastEventId: position?.lastEventId ?? before, retryMs: position?.retryMs };
  }

  function onEnd(end: ExchangeEnd, wasOpen: boolean, { lastEventId, retryMs }: SsePosition): void {
    if (end.kind === 'broken') deps.onBroken();
    if (isSessionLost(end)) return deps.onSessionLost();
    // 405: the server offers no such stream. Other refusals and rubbish will not be better in a second.
    if (!wasOpen && end.kind !== 'broken') return;
    cancelRetry = clock.after(retryMs ?? delayMs, () => open(lastEventId));
    delayMs = Math.min(delayMs * 2, longestDelayMs);
  }

  function close(): void {
    cancelRetry?.();
    cancelRetry = undefined;
    exchange?.abort();
    exchange = undefined;
  }

  return {
    start() {
      close();
      open(undefined);
    },
    close,
  };
}
