/** The way of a request to whoever answers it: guards, CORS for allowed origins, who sends it, then Git, MCP or REST. */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { MountKey } from '../gateway/mounts.ts';
import { isAppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Access } from './access.ts';
import { type GitEndpoint, isGitPath } from './git/git-endpoint.ts';
import type { Guard } from './guards.ts';
import type { McpEndpoint } from './mcp/endpoint.ts';
import { isOpenPath } from './needed-permission.ts';
import type { OpenRequests } from './open-requests.ts';
import { toProblem } from './problem.ts';
import { challengeFor, resourceMetadata } from './protected-resource.ts';
import { serveSignIn, type SignInPages, signInPath } from './upstream-sign-in.ts';

export interface Edge {
  readonly guard: Guard;
  readonly access: Access;
  readonly endpoint: McpEndpoint;
  readonly git: GitEndpoint | undefined;
  readonly signIns: SignInPages | undefined;
  readonly logger: Logger;
  readonly requests: OpenRequests;
}

const corsHeaders = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers':
    '*, authorization, content-type, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, last-event-id, x-priority',
  'access-control-expose-headers': 'mcp-session-id, retry-after, www-authenticate',
  'access-control-max-age': '600',
};

/** `mountOf` knows the MCP endpoints; `next` answers all other paths. An alias has neither Git nor anything open. */
export function routeRequest(
  edge: Edge,
  mountOf: (path: string, query: string) => MountKey | undefined,
  next: RequestListener,
  isAlias = false,
): RequestListener {
  const { access } = edge;

  function refuse(error: unknown, request: IncomingMessage, response: ServerResponse, path: string): void {
    const problem = toProblem(error, edge.logger);
    if (isAppError(error, 'UNAUTHENTICATED'))
      response.setHeader('www-authenticate', challengeFor(request, path));
    response
      .writeHead(problem.status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify(problem));
  }

  function serve(request: IncomingMessage, response: ServerResponse, path: string, query: string): void {
    if (edge.git && isGitPath(path) && !isAlias) {
      access.authorize(request, 'use');
      void edge.git(request, response);
      return;
    }
    if (edge.signIns && signInPath.test(path) && request.method === 'GET' && !isAlias) {
      void serveSignIn(edge.signIns, request, response, path, query);
      return;
    }
    const mount = path.startsWith('/mcp') ? mountOf(path, query) : undefined;
    if (mount === undefined) {
      next(request, response);
      return;
    }
    access.authorize(request, 'use');
    void edge.endpoint(mount, request, response);
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
    const url = request.url ?? '/';
    const end = url.indexOf('?');
    const path = end < 0 ? url : url.slice(0, end);
    const query = end < 0 ? '' : url.slice(end);
    try {
      access.counted(() => edge.guard(request));
      if (answerCors(request, response)) return;
      if (access.isRequired && !isOpenPath(path)) {
        void admitAndServe(request, response, path, query);
        return;
      }
      const metadata = access.isRequired && !isAlias ? resourceMetadata(request, path) : undefined;
      if (metadata === undefined) serve(request, response, path, query);
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
    } catch (error) {
      refuse(error, request, response, path);
    }
  };
}
