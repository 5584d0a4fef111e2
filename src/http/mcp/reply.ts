/**
 * The answer to one POST: plain JSON when nothing comes before the result, else an event stream. A request
 * that takes long becomes a stream by itself, so that no proxy takes the silence for death.
 */

import type { ServerResponse } from 'node:http';
import type { RequestId, RpcMessage, RpcResponse } from '../../kernel/json-rpc.ts';
import { type Placed, Roster } from '../../kernel/roster.ts';
import { responseText } from '../../kernel/result-text.ts';

/** What the keep-alive calls now and then. */
export interface Beating extends Placed {
  beat(): void;
}

/** Open streams that get a comment now and then; also turns waiting replies into streams. */
export interface KeepAlive extends Disposable {
  add(stream: Beating): void;
  remove(stream: Beating): void;
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

const noHeaders: Readonly<Record<string, string>> = {};

/** A client that does not read its stream is cut off when so many bytes wait already; one message may be larger. */
const maxUnreadBytes = 16 * 1024 * 1024;

export function createKeepAlive(intervalMs = 10_000): KeepAlive {
  const streams = new Roster<Beating>();
  const endless = new Set<() => void>();
  let isEnding = false;
  const timer = setInterval(() => {
    for (const stream of streams) stream.beat();
  }, intervalMs);
  timer.unref();
  return {
    add(stream) {
      streams.add(stream);
    },
    remove(stream) {
      streams.delete(stream);
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
      streams.clear();
    },
  };
}

function writeEvent(response: ServerResponse, text: string): void {
  if (response.writableLength > maxUnreadBytes) response.destroy();
  else response.write(`event: message\ndata: ${text}\n\n`);
}

/** A class, as each request makes one. */
export class Reply implements Beating {
  place = -1;
  private readonly response: ServerResponse;
  private readonly keepAlive: KeepAlive;
  private readonly headers: Readonly<Record<string, string>>;
  private isStreaming = false;
  /** The first beat may come at once; a reply becomes a stream at its second. */
  private beats = 0;

  /** `onGone` runs when the client goes away before it has the answer. */
  constructor(
    response: ServerResponse,
    keepAlive: KeepAlive,
    options: { headers?: Readonly<Record<string, string>>; onGone?: () => void } = {},
  ) {
    const { onGone } = options;
    this.response = response;
    this.keepAlive = keepAlive;
    this.headers = options.headers ?? noHeaders;
    keepAlive.add(this);
    response.on('close', () => {
      keepAlive.remove(this);
      if (!response.writableFinished) onGone?.();
    });
    if (response.destroyed) onGone?.();
  }

  beat(): void {
    this.beats += 1;
    if (this.beats < 2 || this.isOver()) return;
    this.stream();
    this.response.write(': waiting\n\n');
  }

  /** Sends a message ahead of the response; false when the client can no longer get it. */
  send(message: RpcMessage): boolean {
    if (this.isOver()) return false;
    this.stream();
    writeEvent(this.response, JSON.stringify(message));
    return true;
  }

  /** Sends the response and ends. `status`, and `retryAfter` in seconds, count only while nothing was sent. */
  end(message: RpcResponse | undefined, status = 200, retryAfter?: number): void {
    if (message) this.endText(JSON.stringify(message), status, retryAfter);
    else {
      this.keepAlive.remove(this);
      if (this.isOver()) return;
      if (this.isStreaming) this.response.end();
      else this.response.writeHead(202, this.headers).end();
    }
  }

  /** Sends a response whose result is there as text already. */
  endResult(id: RequestId, resultText: string): void {
    // A line end ends an event; in JSON it is white space wherever it may stand.
    const text = this.isStreaming ? resultText.replaceAll(/[\r\n]/g, ' ') : resultText;
    this.endText(responseText(id, text), 200);
  }

  private endText(text: string, status: number, retryAfter?: number): void {
    const { response } = this;
    this.keepAlive.remove(this);
    if (this.isOver()) return;
    if (this.isStreaming) {
      writeEvent(response, text);
      response.end();
      return;
    }
    const bytes = Buffer.byteLength(text);
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': bytes,
      ...(retryAfter === undefined ? noHeaders : { 'retry-after': String(retryAfter) }),
      ...this.headers,
    });
    // Head and body as one string are one write; as many bytes as characters are ASCII, which needs no encoding.
    response.end(text, bytes === text.length ? 'latin1' : 'utf8');
  }

  private isOver(): boolean {
    return this.response.writableEnded || this.response.destroyed;
  }

  private stream(): void {
    if (this.isStreaming) return;
    this.isStreaming = true;
    this.response.writeHead(200, { ...streamHeaders, ...this.headers });
  }
}

/** A long stream with nothing to answer: the legacy GET stream. */
export function openStream(
  response: ServerResponse,
  keepAlive: KeepAlive,
  headers: Record<string, string> = {},
): (message: RpcMessage) => void {
  response.writeHead(200, { ...streamHeaders, ...headers });
  response.flushHeaders();
  const stream: Beating = { place: -1, beat: () => void response.write(': waiting\n\n') };
  keepAlive.add(stream);
  response.on('close', () => keepAlive.remove(stream));
  response.on(
    'close',
    keepAlive.addEndless(() => response.end()),
  );
  return (message) => {
    if (!response.writableEnded && !response.destroyed) writeEvent(response, JSON.stringify(message));
  };
}
