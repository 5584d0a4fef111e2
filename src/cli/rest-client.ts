/** The REST API as functions: paths, queries and answers are typed and checked by the route definitions. */

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { z } from 'zod';
import type { RouteDefinition } from '../contract/define-route.ts';
import { problemShape, type RouteName, routes } from '../contract/rest/routes.ts';
import { AppError } from '../kernel/errors.ts';
import { type CoordinatorAccess, keyHeaders } from './find-coordinator.ts';
import { ProblemError } from './print-error.ts';
import { connectionFailure } from './trust.ts';

type Input<Route, Name extends string> = Route extends { readonly [K in Name]: infer Shape extends z.ZodType }
  ? { readonly [K in Name]: z.input<Shape> }
  : unknown;

/** Arguments of a route; `path` fills a memory path's scope and key. */
export type CallInput<Name extends RouteName> = Input<(typeof routes)[Name], 'params'> &
  Partial<Input<(typeof routes)[Name], 'query'>> &
  Input<(typeof routes)[Name], 'body'> & { readonly path?: { readonly scope: string; readonly key: string } };

/** The answer of a route. */
export type CallOutput<Name extends RouteName> = z.output<(typeof routes)[Name]['response']>;

/** The REST API of one coordinator. */
export interface RestClient {
  /** Base URL of the coordinator. */
  readonly url: string;
  /** Throws COORDINATOR_NOT_RUNNING, a ProblemError with the coordinator's answer, or UPSTREAM_PROTOCOL. */
  call<Name extends RouteName>(
    name: Name,
    input: CallInput<Name>,
    timeoutMs?: number,
  ): Promise<CallOutput<Name>>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Silence after which a coordinator counts as hung; calls of tools take as long as the coordinator allows. */
const defaultTimeoutMs = 120_000;

interface LooseInput {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly path?: { readonly scope: string; readonly key: string };
}

/** The raw request path. Slashes of a key are escaped too, so that `..` in it stays a part of a name. */
function pathOf(route: RouteDefinition, { params, query, path }: LooseInput): string {
  const values: Readonly<Record<string, unknown>> = { scope: path?.scope, ...params };
  const filled = route.path
    .replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values[name])))
    .replace('*', () => encodeURIComponent(path?.key ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== undefined) search.append(name, String(item));
  }
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}

/** `http://user:secret@host` must not reach an error message. */
function withoutCredentials(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly timeoutMs: number;
  readonly access: CoordinatorAccess;
}

function send(base: URL, { method, path, body, timeoutMs, access }: Request): Promise<Answer> {
  const name = withoutCredentials(base);
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // Not fetch: it would rewrite dot segments in the path.
  const request = (base.protocol === 'https:' ? httpsRequest : httpRequest)(
    {
      hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: base.port,
      path: base.pathname.replace(/\/$/, '') + path,
      method,
      timeout: timeoutMs,
      ...access.trust,
      headers: {
        accept: 'application/json, application/problem+json',
        ...keyHeaders(access.key),
        ...(payload && { 'content-type': 'application/json', 'content-length': payload.length }),
      },
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
      response.on('error', (error) =>
        reject(new AppError('COORDINATOR_NOT_RUNNING', { url: name }, { cause: error })),
      );
    },
  );
  request.on('timeout', () =>
    request.destroy(
      new AppError('UPSTREAM_TIMEOUT', {
        server: `coordinator ${name}`,
        method: `${method} ${path.split('?')[0]}`,
        timeoutMs,
      }),
    ),
  );
  request.on('error', (error) => reject(error instanceof AppError ? error : connectionFailure(name, error)));
  request.end(payload);
  return promise;
}

function parseAnswer(route: RouteDefinition, { status, text }: Answer, url: string): unknown {
  const broken = (problem: string) =>
    new AppError('UPSTREAM_PROTOCOL', { server: `coordinator ${url}`, problem });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken(`HTTP ${status} without JSON; is something else listening there?`);
  }
  if (status >= 400) {
    const problem = problemShape.safeParse(value);
    throw problem.success ? new ProblemError(problem.data) : broken(`HTTP ${status} without problem details`);
  }
  const result = route.response.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw broken(`${issue?.path.join('.')}: ${issue?.message}; is it another version?`);
  }
  // Checked, but handed on whole: a newer coordinator may say more than this version knows.
  return value;
}

/** The base of an endpoint that people paste: `…/mcp` and what follows it are cut off. */
export function baseUrlOf(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new AppError('INVALID_INPUT', {
      field: '--url',
      problem: 'must be an http(s) URL such as http://127.0.0.1:3000',
    });
  }
  url.pathname = url.pathname.replace(/\/mcp(\/.*)?$/, '');
  return url;
}

/** A client of the coordinator at a URL; nothing is sent before the first call. */
export function createRestClient(endpoint: string, access: CoordinatorAccess = {}): RestClient {
  const base = baseUrlOf(endpoint);
  const url = withoutCredentials(base);
  return {
    url,
    async call<Name extends RouteName>(name: Name, input: CallInput<Name>, timeoutMs = defaultTimeoutMs) {
      const route: RouteDefinition = routes[name];
      const loose: LooseInput = input;
      const { method } = route;
      const { body } = loose;
      const answer = await send(base, { method, path: pathOf(route, loose), body, timeoutMs, access });
      return parseAnswer(route, answer, url) as CallOutput<Name>;
    },
  };
}
