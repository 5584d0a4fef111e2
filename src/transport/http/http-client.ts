/** HTTP exchanges with one MCP endpoint: a body goes out, JSON-RPC messages come back as JSON or as an event stream. */

import { type Dispatcher, Pool } from 'undici';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { isJsonObject, RpcError } from '../../kernel/json-rpc.ts';
import { portOf, type SsrfGuard } from '../../kernel/ssrf-guard.ts';
import { lookupThrough } from './guarded-lookup.ts';
import { createSseParser, type SseParser, type SsePosition } from './sse-parser.ts';

export interface HttpEndpoint {
  readonly server: string;
  readonly url: string;
  /** Sent with every request (credentials, say); the headers of the protocol win over them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest message taken from the server. */
  readonly maxMessageBytes: number;
  readonly guard?: SsrfGuard;
}

export interface ExchangeRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How an exchange ended. */
export type ExchangeEnd =
  /** The whole answer arrived; `body` only for a status of 400 or more: parsed JSON, or text. */
  | { readonly kind: 'answered'; readonly status: number; readonly body?: unknown }
  /** The link broke; `wasSent` tells whether the server may have seen the request. */
  | { readonly kind: 'broken'; readonly wasSent: boolean; readonly problem: string }
  /** The server sent what it must not send. */
  | { readonly kind: 'invalid'; readonly problem: string };

export interface ExchangeHandlers {
  /** The head of an answer below 400. */
  onHead?(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  onMessage(message: unknown): void;
  /** Called once, and not after `abort`. */
  onEnd(end: ExchangeEnd): void;
}

export interface Exchange {
  /** Gives up and closes the stream. */
  abort(): void;
  /** How far the event stream has come; undefined when the answer is none, or has not begun. */
  position(): SsePosition | undefined;
}

export interface HttpClient {
  exchange(request: ExchangeRequest, handlers: ExchangeHandlers): Exchange;
  /** Closes all sockets. */
  close(): Promise<void>;
}

const maxRedirects = 3;
const connectTimeoutMs = 10_000;
/** Error pages are cut at this size. */
const maxErrorBodyBytes = 64 * 1024;

/** Opens no socket yet; throws INVALID_INPUT for a URL that is not http or https. */
export function createHttpClient(endpoint: HttpEndpoint): HttpClient {
  const url = parseUrl(endpoint);
  endpoint.guard?.checkUrl(url.href);
  const ownHeaders = Object.fromEntries(
    Object.entries(endpoint.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  if (url.username !== '' && ownHeaders['authorization'] === undefined) {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    ownHeaders['authorization'] = `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
  }
  // Timeouts belong to the calls; a stream may be silent for as long as its call may last.
  const pool = new Pool(url.origin, {
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: connectTimeoutMs,
      ...(endpoint.guard && { lookup: lookupThrough(endpoint.guard, portOf(url)) }),
    },
  });
  let path = url.pathname + url.search;

  /** The path of a redirect that stays on this origin; undefined when it leads elsewhere. */
  function followed(status: number, location: unknown): string | undefined {
    if (status !== 307 && status !== 308) return undefined;
    if (typeof location !== 'string' || !URL.canParse(location, url.origin + path)) return undefined;
    const target = new URL(location, url.origin + path);
    return target.origin === url.origin ? target.pathname + target.search : undefined;
  }

  return {
    exchange(request, handlers) {
      const reader = createAnswerReader(endpoint.maxMessageBytes, handlers);
      let controller: Dispatcher.DispatchController | undefined;
      let isAborted = false;
      let redirects = 0;

      function dispatch(): void {
        let wasSent = false;
        let redirectTo: string | undefined;
        const headers = { ...ownHeaders, ...request.headers };
        const { method, body } = request;
        pool.dispatch(
          { path, method, headers, body: body ?? null },
          {
            onRequestStart(started) {
              wasSent = true;
              controller = started;
              if (isAborted) started.abort(new Error('aborted'));
            },
            onResponseStart(_, status, responseHeaders) {
              if (status < 200) return;
              redirectTo = followed(status, responseHeaders['location']);
              if (redirectTo !== undefined) return;
              if (status >= 300 && status < 400) {
                giveUp(`it redirects elsewhere (HTTP ${status})`);
              } else reader.start(status, responseHeaders);
            },
            onResponseData(_, chunk) {
              if (redirectTo !== undefined || isAborted) return;
              const problem = reader.push(chunk);
              if (problem !== undefined) giveUp(problem);
            },
            onResponseEnd() {
              if (redirectTo === undefined) return finish(reader.end());
              if (++redirects > maxRedirects)
                return finish({ kind: 'invalid', problem: 'it redirects in circles' });
              path = redirectTo;
              if (!isAborted) dispatch();
            },
            onResponseError(_, error) {
              finish({ kind: 'broken', wasSent, problem: problemOf(error) });
            },
          },
        );
      }

      /** Finishes before it aborts: an abort is reported as an error at once. */
      function giveUp(problem: string): void {
        finish({ kind: 'invalid', problem });
        controller?.abort(new Error(problem));
      }

      function finish(end: ExchangeEnd): void {
        if (isAborted) return;
        isAborted = true;
        handlers.onEnd(end);
      }

      dispatch();
      return {
        abort() {
          if (isAborted) return;
          isAborted = true;
          controller?.abort(new Error('aborted'));
        },
        position: reader.position,
      };
    },
    async close() {
      await pool.destroy();
    },
  };
}

function parseUrl(endpoint: HttpEndpoint): URL {
  const url = URL.canParse(endpoint.url) ? new URL(endpoint.url) : undefined;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new AppError('INVALID_INPUT', {
    field: `${endpoint.server}.url`,
    problem: 'must be an http or https URL',
  });
}

/** Names the failure without the URL, which may hold a credential. */
function problemOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' ? 'connection refused' : (code ?? messageOf(error));
}

interface AnswerReader {
  start(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  /** Takes a chunk; returns what is wrong with it, if anything. */
  push(chunk: Buffer): string | undefined;
  end(): ExchangeEnd;
  readonly position: () => SsePosition | undefined;
}

/** No getters here nor in an exchange: each would cost a hidden class a call, which only a full collection frees. */
function createAnswerReader(maxBytes: number, handlers: ExchangeHandlers): AnswerReader {
  let status = 0;
  let kind: 'json' | 'events' | 'other' = 'other';
  let chunks: Buffer[] = [];
  let bytes = 0;
  let problem: string | undefined;
  let sse: SseParser | undefined;

  function deliver(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      problem ??= 'its answer is not JSON';
      return;
    }
    // 2025-03-26 allowed batches.
    for (const one of Array.isArray(message) ? message : [message]) handlers.onMessage(one);
  }

  const tooLong = () => `it sent a message of more than ${maxBytes} bytes`;

  return {
    start(code, headers) {
      status = code;
      const type = String(headers['content-type'] ?? '')
        .split(';', 1)[0]!
        .trim()
        .toLowerCase();
      if (type === 'application/json' || type.endsWith('+json')) kind = 'json';
      if (type === 'text/event-stream' && code < 400) {
        kind = 'events';
        sse = createSseParser({
          maxChars: maxBytes,
          onEvent: (event) => {
            // An empty event only carries the id to resume from.
            if (event.type === 'message' && event.data !== '') deliver(event.data);
          },
          onTooLong: () => {
            problem = tooLong();
          },
        });
      }
      if (code < 400) handlers.onHead?.(code, headers);
    },
    push(chunk) {
      if (sse) {
        sse.push(chunk);
        return problem;
      }
      bytes += chunk.length;
      if (status >= 400 || kind === 'other') {
        if (bytes <= maxErrorBodyBytes) chunks.push(chunk);
        return undefined;
      }
      if (bytes > maxBytes) return tooLong();
      chunks.push(chunk);
      return undefined;
    },
    end() {
      const text = Buffer.concat(chunks).toString('utf8');
      chunks = [];
      if (status >= 400) return { kind: 'answered', status, body: kind === 'json' ? parsed(text) : text };
      if (kind === 'json' && text.trim() !== '') deliver(text);
      return problem === undefined ? { kind: 'answered', status } : { kind: 'invalid', problem };
    },
    position: () => sse?.position(),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The JSON-RPC error in the body of an HTTP error; undefined when there is none. */
export function rpcErrorIn(body: unknown): RpcError | undefined {
  const error = isJsonObject(body) ? body['error'] : undefined;
  if (!isJsonObject(error) || typeof error['code'] !== 'number') return undefined;
  return new RpcError({ code: error['code'], message: String(error['message']), data: error['data'] });
}

/** The error of a request whose exchange ended without an answer to it. */
export function failureOf(server: string, end: ExchangeEnd): Error {
  if (end.kind === 'broken') {
    return new AppError(end.wasSent ? 'UPSTREAM_FAILED' : 'UPSTREAM_UNAVAILABLE', {
      server,
      problem: end.problem,
    });
  }
  if (end.kind === 'invalid') return new AppError('UPSTREAM_PROTOCOL', { server, problem: end.problem });
  if (end.status < 400) {
    return new AppError('UPSTREAM_FAILED', { server, problem: `HTTP ${end.status} came without an answer` });
  }
  return rpcErrorIn(end.body) ?? new AppError('UPSTREAM_FAILED', { server, problem: `HTTP ${end.status}` });
}
