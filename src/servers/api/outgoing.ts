/** Outgoing HTTP with the SSRF guard on every connection and every redirect, through undici. */

import { Agent, buildConnector, type Dispatcher, errors, request } from 'undici';
import { ToolError } from '../../kernel/define-server.ts';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import {
  createSsrfGuard,
  type ResolvedAddress,
  type SsrfGuard,
  type SsrfPolicy,
} from '../../kernel/ssrf-guard.ts';

const connectTimeoutMs = 15_000;

export interface Outgoing {
  readonly guard: SsrfGuard;
  readonly agent: Agent;
}

export interface OutgoingRequest {
  readonly url: string;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly maxRedirects: number;
  readonly signal: AbortSignal;
}

export interface OutgoingResponse {
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** The URLs that redirected, in order. */
  readonly redirectedFrom: readonly string[];
  /** Why a redirect was not followed, if one was not. */
  readonly notFollowed?: string;
  readonly response: Dispatcher.ResponseData;
}

/** Connects only to addresses that the guard has just judged, for names and for literal addresses. */
async function connectGuarded(
  guard: SsrfGuard,
  options: buildConnector.Options,
  callback: buildConnector.Callback,
): Promise<void> {
  const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
  let addresses: readonly ResolvedAddress[];
  try {
    addresses = await guard.resolve(options.hostname, port);
  } catch (error) {
    callback(error instanceof Error ? error : new Error(messageOf(error)), null);
    return;
  }
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    lookup: (_name, lookup, answer) => {
      if (lookup.all === true) answer(null, [...addresses]);
      else answer(null, addresses[0]!.address, addresses[0]!.family);
    },
  });
  connect(options, callback);
}

const shared = new Map<string, Outgoing>();

/** The agent of a policy; instances with equal policies share it and its idle connections. */
export function outgoingFor(policy: SsrfPolicy): Outgoing {
  const key = JSON.stringify([policy.allowHosts, policy.denyHosts, policy.allowPrivate]);
  const known = shared.get(key);
  if (known) return known;
  const guard = createSsrfGuard(policy);
  const agent = new Agent({
    connect: (options, callback) => void connectGuarded(guard, options, callback),
    connections: 32,
    maxHeaderSize: 64 * 1024,
  });
  const made = { guard, agent };
  shared.set(key, made);
  return made;
}

/** All that survives a redirect to another origin; anything else may be a credential. */
const harmlessHeaders = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'content-type',
  'range',
  'user-agent',
]);

const redirectCodes = new Set([301, 302, 303, 307, 308]);

/** Sends a request and follows at most `maxRedirects` redirects; the caller must read or destroy the body. */
export async function send(outgoing: Outgoing, wanted: OutgoingRequest): Promise<OutgoingResponse> {
  let current = { ...wanted, url: outgoing.guard.checkUrl(wanted.url) };
  const redirectedFrom: string[] = [];
  for (;;) {
    const response = await sendOnce(outgoing, current);
    const location = response.headers['location'];
    if (
      !redirectCodes.has(response.statusCode) ||
      typeof location !== 'string' ||
      wanted.maxRedirects === 0
    ) {
      return { url: current.url, redirectedFrom, response };
    }
    const next = nextRequest(outgoing.guard, current, response.statusCode, location);
    const notFollowed =
      redirectedFrom.length >= wanted.maxRedirects
        ? `more than ${wanted.maxRedirects} redirects`
        : next.refusal;
    if (notFollowed !== undefined) return { url: current.url, redirectedFrom, notFollowed, response };
    await response.body.dump({ limit: 64 * 1024 }).catch(() => {});
    redirectedFrom.push(current.url.href);
    current = { ...current, ...next.request };
  }
}

interface CurrentRequest extends Omit<OutgoingRequest, 'url'> {
  readonly url: URL;
}

type NextRequest =
  | { readonly request: Partial<CurrentRequest>; readonly refusal?: undefined }
  | { readonly request?: undefined; readonly refusal: string };

/** The request that a redirect asks for (RFC 9110 section 15.4). */
function nextRequest(guard: SsrfGuard, from: CurrentRequest, status: number, location: string): NextRequest {
  const target = URL.parse(location, from.url.href);
  if (!target) return { refusal: 'the Location header is not a URL' };
  const url = guard.checkUrl(target.href);
  const sameOrigin = url.origin === from.url.origin;
  const keepsBody = status === 307 || status === 308;
  if (keepsBody && !sameOrigin && from.body !== undefined) {
    return { refusal: `the body is not sent on to another origin (${url.origin}); send it there yourself` };
  }
  const becomesGet = !keepsBody && from.method !== 'GET' && from.method !== 'HEAD';
  const headers = Object.fromEntries(
    Object.entries(from.headers).filter(([name]) => {
      const lower = name.toLowerCase();
      if (becomesGet && lower.startsWith('content-')) return false;
      return sameOrigin || harmlessHeaders.has(lower);
    }),
  );
  return { request: { url, headers, ...(becomesGet ? { method: 'GET', body: undefined } : {}) } };
}

async function sendOnce(outgoing: Outgoing, wanted: CurrentRequest): Promise<Dispatcher.ResponseData> {
  try {
    const response = await request(wanted.url.href, {
      dispatcher: outgoing.agent,
      method: wanted.method,
      headers: wanted.headers,
      body: wanted.body ?? null,
      signal: wanted.signal,
    });
    // Whoever reads sees the error; without a listener a body that nobody reads would end the process.
    response.body.on('error', () => {});
    return response;
  } catch (error) {
    throw readableFailure(error, wanted.url, wanted.signal);
  }
}

/** Turns a network failure into words a model can act on; a cancellation stays what it is. */
export function readableFailure(error: unknown, url: URL, signal: AbortSignal): unknown {
  if (error instanceof ToolError || isAppError(error)) return error;
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    if (!(reason instanceof DOMException) || reason.name !== 'TimeoutError') return reason;
    return new ToolError(`timeoutMs: ${url.host} did not answer in time; raise timeoutMs or try again later`);
  }
  if (error instanceof errors.InvalidArgumentError) {
    return new ToolError(`headers: ${error.message}; correct the name or value`);
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
  return new ToolError(`url: the request to ${url.host} failed (${code})`);
}
