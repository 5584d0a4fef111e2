/** The way of a request to whoever answers it: guards, CORS for allowed origins, who sends it, then Git, MCP or REST. */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { MountKey } from '../gateway/mounts.ts';
import { isAppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Access } from './access.ts';
import { assertHead, type HeadBounds } from './bounds/assert-head.ts';
import type { Connections } from './bounds/connections.ts';
import type { Forwarded } from './forwarded.ts';
import { type GitEndpoint, isGitPath } from './git/git-endpoint.ts';
import type { Guard } from './guards.ts';
import type { McpEndpoint } from './mcp/endpoint.ts';
import { gatewayActions, isOpenPath } from './needed-permission.ts';
import type { OpenRequests } from './open-requests.ts';
import { countRequest, isUncounted, type RequestLimits } from './count-request.ts';
import type { PeopleEndpoint } from './people/people-endpoint.ts';
import { retryAfterOf, toProblem } from './problem.ts';
import { tellLimit } from './rate-limit-fields.ts';
import { challengeFor, type OriginOf, resourceMetadata, type TokenSource } from './protected-resource.ts';
import { createSecurityHeaders } from './security-headers.ts';
import { serveSignIn, type SignInPages, signInPath } from './upstream-sign-in.ts';

export interface Edge {
  readonly guard: Guard;
  readonly head: HeadBounds;
  readonly connections: Pick<Connections, 'begin'>;
  readonly forwarded: Pick<Forwarded, 'schemeOf' | 'addressOf'>;
  /** This process speaks TLS itself. */
  readonly isTls: boolean;
  readonly access: Access;
  readonly endpoint: McpEndpoint;
  readonly git: GitEndpoint | undefined;
  /** Pages where people sign in, and the authorization server. */
  readonly people: PeopleEndpoint | undefined;
  readonly tokenSource: TokenSource | undefined;
  readonly originOf: OriginOf;
  readonly signIns: SignInPages | undefined;
  readonly logger: Logger;
  readonly requests: OpenRequests;
  /** Counts requests that are no calls to servers. */
  readonly limits?: RequestLimits | undefined;
}

const corsHeaders = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers':
    '*, authorization, content-type, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, last-event-id, x-priority',
  'access-control-expose-headers':
    'mcp-session-id, ratelimit, ratelimit-policy, retry-after, www-authenticate',
  'access-control-max-age': '600',
};

/** `mountOf` knows the MCP endpoints; `next` answers all other paths. An alias has neither Git nor anything open. */
export function routeRequest(
  edge: Edge,
  mountOf: (path: string, query: string) => MountKey | undefined,
  next: RequestListener,
  isAlias = false,
): RequestListener {
  const { access, forwarded } = edge;
  const protect = createSecurityHeaders(edge.isTls);

  function refuse(error: unknown, request: IncomingMessage, response: ServerResponse, path: string): void {
    const problem = toProblem(error, edge.logger);
    const { code } = problem;
    edge.logger.debug({ code, address: forwarded.addressOf(request) }, 'refused a request');
    protect(response);
    if (isAppError(error, 'UNAUTHENTICATED'))
      response.setHeader('www-authenticate', challengeFor(request, path, edge.originOf));
    const retryAfter = retryAfterOf(error);
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
    tellLimit(response, error);
    response
      .writeHead(problem.status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify(problem));
  }

  function serve(request: IncomingMessage, response: ServerResponse, path: string, query: string): void {
    if (edge.git && isGitPath(path) && !isAlias) {
      const { git } = edge;
      access.authorize(request, ['memory:read', 'memory:write']);
      protect(response);
      count(request, response, path, () => void git(request, response, access.principalOf(request)));
      return;
    }
    if (edge.signIns && signInPath.test(path) && request.method === 'GET' && !isAlias) {
      const isSecure = edge.originOf(request).startsWith('https:');
      void serveSignIn(edge.signIns, request, response, path, query, isSecure);
      return;
    }
    const mount = path.startsWith('/mcp') ? mountOf(path, query) : undefined;
    if (mount === undefined) {
      protect(response);
      count(request, response, path, () => next(request, response));
      return;
    }
    access.authorize(request, gatewayActions);
    void edge.endpoint(mount, request, response);
  }

  /** Goes on when no limit is used up. Throws what a limit says, unless others have to be asked first. */
  function count(request: IncomingMessage, response: ServerResponse, path: string, go: () => void): void {
    if (!edge.limits || isAlias || isUncounted(path)) {
      go();
      return;
    }
    const entered = countRequest(edge.limits, access.principalOf(request), response, go);
    entered?.catch((error: unknown) => refuse(error, request, response, path));
  }

  /** True when the request has been answered. */
  function answerCors(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return false;
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('vary', 'origin');
    if (request.method === 'OPTIONS') {
      response.writeHead(204, corsHeaders).end();
      return true;
    }
    response.setHeader('access-control-expose-headers', corsHeaders['access-control-expose-headers']);
    return false;
  }

  async function admitAndServe(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: string,
  ): Promise<void> {
    try {
      await access.admit(request);
      if (!response.destroyed) serve(request, response, path, query);
    } catch (error) {
      refuse(error, request, response, path);
    }
  }

  return (request, response) => {
    edge.requests.add(response);
    if (!edge.connections.begin(request, response)) return;
    const url = request.url ?? '/';
    const end = url.indexOf('?');
    const path = end < 0 ? url : url.slice(0, end);
    const query = end < 0 ? '' : url.slice(end);
    try {
      access.counted(request, () => {
        assertHead(request, edge.head);
        edge.guard(request);
      });
      if (answerCors(request, response)) return;
      if (!isAlias && !signInPath.test(path) && edge.people?.(request, response, path) === true) return;
      if (access.isRequired && !isOpenPath(path)) {
        void admitAndServe(request, response, path, query);
        return;
      }
      const metadata =
        access.isRequired && !isAlias
          ? resourceMetadata(request, path, edge.originOf, edge.tokenSource)
          : undefined;
      if (metadata === undefined) {
        serve(request, response, path, query);
        return;
      }
      protect(response);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
    } catch (error) {
      refuse(error, request, response, path);
    }
  };
}
