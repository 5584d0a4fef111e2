/** HTTP exchanges with one MCP endpoint: a body goes out, JSON-RPC messages come back as JSON or as an event stream. */

import { AppError, messageOf } from '../../kernel/errors.ts';
import { isJsonObject, RpcError } from '../../kernel/json-rpc.ts';
import type { LinkCredentials } from '../../kernel/link-credentials.ts';
import { AnswerReader } from './answer-reader.ts';
import { createLinkPool, type LinkPool } from './link-pool.ts';
import type { AnswerListener, Link } from './link.ts';
import type { ResponseHeaders } from './response-parser.ts';
import type { SsePosition } from './sse-parser.ts';
import { portOf, type SsrfGuard } from '../../kernel/ssrf-guard.ts';
import { lookupThrough } from '../../kernel/guarded-lookup.ts';

export interface HttpEndpoint {
  readonly server: string;
  readonly url: string;
  /** Sent with every request (credentials, say); the headers of the protocol win over them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Those that change; they win over `headers`. */
  readonly credentials?: LinkCredentials;
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
  onHead?(status: number, headers: ResponseHeaders): void;
  /** `resultText`: the text of the message's result, where it could be kept. */
  onMessage(message: unknown, resultText?: string): void;
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

/** Headers of the connection itself: whoever sets them breaks it. */
const linkHeaders = /^(?:connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/;

/** Opens no socket yet; throws INVALID_INPUT for a URL that is not http or https, and for headers of the connection. */
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
  const wrong = Object.keys(ownHeaders).find((name) => linkHeaders.test(name));
  if (wrong !== undefined)
    throw new AppError('INVALID_INPUT', {
      field: `${endpoint.server}.headers.${wrong}`,
      problem: 'belongs to the connection, and is set by the gateway',
    });
  const { host = url.host, ...headers } = ownHeaders;
  // Timeouts belong to the calls; a stream may be silent for as long as its call may last.
  const links = createLinkPool(
    {
      isSecure: url.protocol === 'https:',
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: portOf(url),
      lookup: endpoint.guard && lookupThrough(endpoint.guard, portOf(url)),
    },
    host,
  );
  const route: Route = {
    url,
    path: url.pathname + url.search,
    ownHeaders: Object.keys(headers).length > 0 ? headers : undefined,
    maxMessageBytes: endpoint.maxMessageBytes,
    links,
    credentials: endpoint.credentials,
  };
  return {
    exchange(request, handlers) {
      const exchange = new HttpExchange(route, request, handlers);
      exchange.dispatch();
      return exchange;
    },
    async close() {
      links.close();
    },
  };
}

/** Where exchanges go; a redirect that stays on the origin moves the path for good. */
interface Route {
  readonly url: URL;
  path: string;
  /** Undefined where there are none. */
  readonly ownHeaders: Readonly<Record<string, string>> | undefined;
  readonly maxMessageBytes: number;
  readonly links: LinkPool;
  readonly credentials: LinkCredentials | undefined;
}

/** The path of a redirect that stays on this origin; undefined when it leads elsewhere. */
function followed({ url, path }: Route, status: number, location: unknown): string | undefined {
  if (status !== 307 && status !== 308) return undefined;
  if (typeof location !== 'string' || !URL.canParse(location, url.origin + path)) return undefined;
  const target = new URL(location, url.origin + path);
  return target.origin === url.origin ? target.pathname + target.search : undefined;
}

/** A class, as each call makes one: what a link tells and the exchange of its caller in one object. */
class HttpExchange implements Exchange, AnswerListener {
  private readonly route: Route;
  private readonly request: ExchangeRequest;
  private readonly handlers: ExchangeHandlers;
  private readonly reader: AnswerReader;
  private link: Link | undefined;
  private isOver = false;
  private redirects = 0;
  private wasSent = false;
  private redirectTo: string | undefined;
  private isRefused = false;
  private hasTriedAgain = false;
  private challenge: string | undefined;

  constructor(route: Route, request: ExchangeRequest, handlers: ExchangeHandlers) {
    this.route = route;
    this.request = request;
    this.handlers = handlers;
    this.reader = new AnswerReader(route.maxMessageBytes, handlers);
  }

  dispatch(): void {
    const waiting = this.route.credentials?.prepare();
    if (!waiting) return this.send();
    waiting.then(
      () => this.isOver || this.send(),
      (error: unknown) => this.finish({ kind: 'broken', wasSent: false, problem: messageOf(error) }),
    );
  }

  private send(): void {
    const { path, ownHeaders, links, credentials } = this.route;
    const { method, body, headers } = this.request;
    const own = credentials ? { ...headers, ...credentials.headers } : headers;
    this.wasSent = false;
    this.redirectTo = undefined;
    this.isRefused = false;
    this.link = links.send({ method, path, headers: [own, ownHeaders], body }, this);
  }

  onSent(): void {
    this.wasSent = true;
  }

  onHead(status: number, headers: ResponseHeaders): void {
    if (status === 401 && this.route.credentials && !this.hasTriedAgain) {
      this.isRefused = true;
      this.challenge = String(headers['www-authenticate'] ?? '');
      return;
    }
    this.redirectTo = followed(this.route, status, headers['location']);
    if (this.redirectTo !== undefined) return;
    if (status >= 300 && status < 400) this.giveUp(`it redirects elsewhere (HTTP ${status})`);
    else this.reader.start(status, headers);
  }

  onData(chunk: Buffer): void {
    if (this.redirectTo !== undefined || this.isRefused || this.isOver) return;
    const problem = this.reader.push(chunk);
    if (problem !== undefined) this.giveUp(problem);
  }

  onEnd(): void {
    this.link = undefined;
    if (this.isRefused) return void this.tryAgain();
    if (this.redirectTo === undefined) return this.finish(this.reader.end());
    if (++this.redirects > maxRedirects)
      return this.finish({ kind: 'invalid', problem: 'it redirects in circles' });
    this.route.path = this.redirectTo;
    if (!this.isOver) this.dispatch();
  }

  /** Once, with other credentials where there are any; a server that refuses has not looked at the request. */
  private async tryAgain(): Promise<void> {
    this.hasTriedAgain = true;
    const isWorthIt = await this.route.credentials!.refused(this.challenge).catch(() => false);
    if (!isWorthIt) this.finish({ kind: 'answered', status: 401 });
    else if (!this.isOver) this.dispatch();
  }

  onError(error: Error): void {
    this.link = undefined;
    this.finish({ kind: 'broken', wasSent: this.wasSent, problem: problemOf(error) });
  }

  abort(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.link?.destroy();
  }

  position(): SsePosition | undefined {
    return this.reader.position();
  }

  private giveUp(problem: string): void {
    this.finish({ kind: 'invalid', problem });
    this.link?.destroy();
  }

  private finish(end: ExchangeEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    this.handlers.onEnd(end);
  }
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
