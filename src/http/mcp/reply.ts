/**
 * The answer to one POST: plain JSON when nothing comes before the result, else an event stream. A request
 * that takes long becomes a stream by itself, so that no proxy takes the silence for death.
 */

import type { ServerResponse } from 'node:http';
import type { RpcMessage, RpcResponse } from '../../kernel/json-rpc.ts';

export interface Reply {
  readonly isOpen: boolean;
  /** Sends a message ahead of the response; false when the client can no longer get it. */
  send(message: RpcMessage): boolean;
  /** Sends the response and ends. `status` counts only while nothing was sent. */
  end(response: RpcResponse | undefined, status?: number): void;
}

/** Open streams that get a comment now and then; also turns waiting replies into streams. */
export interface KeepAlive extends Disposable {
  add(beat: () => void): () => void;
  /** Registers a stream that would never end by itself; `end` runs when the listeners drain. */
  addEndless(end: () => void): () => void;
  /** Ends every endless stream, those still to come included. */
  endAll(): void;
}

/** Headers of every event stream. */
export const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** A client that does not read its stream is cut off when so many bytes wait already; one message may be larger. */
const maxUnreadBytes = 16 * 1024 * 1024;

export function createKeepAlive(intervalMs = 10_000): KeepAlive {
  const beats = new Set<() => void>();
  const endless = new Set<() => void>();
  let isEnding = false;
  const timer = setInterval(() => {
    for (const beat of beats) beat();
  }, intervalMs);
  timer.unref();
  return {
    add(beat) {
      beats.add(beat);
      return () => {
        beats.delete(beat);
      };
    },
    addEndless(end) {
      if (isEnding) end();
      else endless.add(end);
      return () => {
        endless.delete(end);
      };
    },
    endAll() {
      isEnding = true;
      for (const end of endless) end();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      beats.clear();
    },
  };
}

function writeEvent(response: ServerResponse, message: RpcMessage): void {
  if (response.writableLength > maxUnreadBytes) response.destroy();
  else response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

export function createReply(
  response: ServerResponse,
  keepAlive: KeepAlive,
  headers: Record<string, string> = {},
): Reply {
  let isStreaming = false;
  // The first beat may come at once; a reply becomes a stream at its second.
  let beats = 0;

  function stream(): void {
    if (isStreaming) return;
    isStreaming = true;
    response.writeHead(200, { ...streamHeaders, ...headers });
  }

  const leave = keepAlive.add(() => {
    beats += 1;
    if (beats < 2 || response.writableEnded || response.destroyed) return;
    stream();
    response.write(': waiting\n\n');
  });
  response.on('close', leave);

  return {
    get isOpen() {
      return !response.writableEnded && !response.destroyed;
    },
    send(message) {
      if (response.writableEnded || response.destroyed) return false;
      stream();
      writeEvent(response, message);
      return true;
    },
    end(message, status = 200) {
      leave();
      if (response.writableEnded || response.destroyed) return;
      if (isStreaming) {
        if (message) writeEvent(response, message);
        response.end();
      } else if (message) {
        const body = Buffer.from(JSON.stringify(message));
        response.writeHead(status, {
          'content-type': 'application/json',
          'content-length': body.length,
          ...headers,
        });
        response.end(body);
      } else {
        response.writeHead(202, headers).end();
      }
    },
  };
}

/** A long stream with nothing to answer: the legacy GET stream. */
export function openStream(
  response: ServerResponse,
  keepAlive: KeepAlive,
  headers: Record<string, string> = {},
): (message: RpcMessage) => void {
  response.writeHead(200, { ...streamHeaders, ...headers });
  response.flushHeaders();
  response.on(
    'close',
    keepAlive.add(() => response.write(': waiting\n\n')),
  );
  response.on(
    'close',
    keepAlive.addEndless(() => response.end()),
  );
  return (message) => {
    if (!response.writableEnded && !response.destroyed) writeEvent(response, message);
  };
}
