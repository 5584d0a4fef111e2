/**
 * The listeners: one for everything, and, when switched on, one more for each instance's own port. All go
 * through the same guards. MCP paths never enter the REST framework.
 */

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gateway } from '../gateway/gateway.ts';
import type { MountKey } from '../gateway/mounts.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { localOwner, type Principal } from '../kernel/principal.ts';
import type { Pool } from '../pool/pool.ts';
import { type ChangeSource, createChangeStreams } from './change-stream.ts';
import { type GitEndpoint, isGitPath } from './git/git-endpoint.ts';
import { assertMayBind, createGuard, type Guard, type GuardOptions } from './guards.ts';
import { createLogStreams } from './log-stream.ts';
import { createMcpEndpoint, type McpEndpoint } from './mcp/endpoint.ts';
import { createKeepAlive } from './mcp/reply.ts';
import { createOpenRequests, type OpenRequests } from './open-requests.ts';
import { toProblem } from './problem.ts';
import { createRest, type RestOptions } from './rest.ts';
import type { RouteHandlers } from './serve-routes.ts';

export interface ListenOptions extends GuardOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly gateway: Gateway;
  readonly pool: Pool;
  readonly handlers: RouteHandlers;
  /** Changes that are streamed to who asks for events. */
  readonly memory: ChangeSource;
  /** Clone, fetch and push under /git/. */
  readonly git?: GitEndpoint;
  readonly isReady: () => boolean;
  readonly metrics?: RestOptions['metrics'];
  readonly logger: Logger;
  readonly nextRequestId: () => string;
  readonly bodyLimitBytes: number;
  /** Who sends an MCP request; the local owner unless said. Throws what the client is told when that is nobody. */
  readonly identify?: (request: IncomingMessage) => Principal;
  /** Open each instance's own port as an alias of its single-server mount. */
  readonly instancePorts: boolean;
}

export interface Listeners extends AsyncDisposable {
  readonly port: number;
  readonly baseUrl: string;
  /** Takes no new connections and waits for open requests, at most so long, milliseconds. */
  drain(timeoutMs: number): Promise<void>;
}

interface Edge {
  readonly guard: Guard;
  readonly endpoint: McpEndpoint;
  readonly git: GitEndpoint | undefined;
  readonly logger: Logger;
  readonly requests: OpenRequests;
}

const corsHeaders = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers':
    '*, authorization, content-type, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, last-event-id, x-priority',
  'access-control-expose-headers': 'mcp-session-id, retry-after',
  'access-control-max-age': '600',
};

/** Guards, CORS for allowed origins, then Git, MCP or `next`. */
function route(
  edge: Edge,
  mountOf: (path: string, query: string) => MountKey | undefined,
  next: RequestListener,
  isAlias = false,
): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    edge.requests.add(response);
    const refuse = (error: unknown): void => {
      const problem = toProblem(error, edge.logger);
      response
        .writeHead(problem.status, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify(problem));
    };
    try {
      edge.guard(request);
    } catch (error) {
      refuse(error);
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('vary', 'origin');
      if (request.method === 'OPTIONS') {
        response.writeHead(204, corsHeaders).end();
        return;
      }
      response.setHeader('access-control-expose-headers', corsHeaders['access-control-expose-headers']);
    }
    const url = request.url ?? '/';
    const query = url.indexOf('?');
    if (edge.git && isGitPath(url) && !isAlias) {
      void edge.git(request, response);
      return;
    }
    let mount: MountKey | undefined;
    try {
      const end = query < 0 ? url.length : query;
      mount = url.startsWith('/mcp') ? mountOf(url.slice(0, end), url.slice(end)) : undefined;
    } catch (error) {
      refuse(error);
      return;
    }
    if (mount === undefined) next(request, response);
    else void edge.endpoint(mount, request, response);
  };
}

/** A request, body included, has to come in time; how long its answer takes is another matter. */
function serverFor(listener: RequestListener): Server {
  return createServer(
    { requestTimeout: 120_000, headersTimeout: 30_000, keepAliveTimeout: 60_000 },
    listener,
  );
}

async function bind(server: Server, host: string, port: number, logger: Logger): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new AppError('PORT_IN_USE', { port, host }) : error);
    });
    server.listen({ host, port }, resolve);
  });
  // Failures to accept, for want of file descriptors: those who are connected are still served.
  server.on('error', (error) => logger.error({ err: error, port }, 'listener failed'));
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  await closed;
}

export async function listen(options: ListenOptions): Promise<Listeners> {
  const { host, logger, gateway, pool } = options;
  assertMayBind(host);
  const keepAlive = createKeepAlive();
  const endpoint = createMcpEndpoint({
    gateway,
    logger,
    keepAlive,
    nextRequestId: options.nextRequestId,
    bodyLimitBytes: options.bodyLimitBytes,
    identify: options.identify ?? (() => localOwner),
  });
  const edge: Edge = {
    guard: createGuard(options),
    endpoint,
    git: options.git,
    logger,
    requests: createOpenRequests(),
  };
  const takesChanges = createChangeStreams({ ...options, keepAlive });
  const takesLogs = createLogStreams({ ...options, keepAlive });
  let main: Server | undefined;
  const rest = await createRest({
    handlers: options.handlers,
    isReady: options.isReady,
    metrics: options.metrics,
    logger,
    bodyLimitBytes: options.bodyLimitBytes,
    serverFactory: (handler) => {
      const next: RequestListener = (request, response) => {
        if (!takesChanges(request, response) && !takesLogs(request, response)) handler(request, response);
      };
      main = serverFor(route(edge, (path, query) => gateway.mounts.keyOf(path, query), next));
      return main;
    },
  });
  if (!main) throw new Error('the REST framework made no server');
  const server = main;
  const port = await bind(server, host, options.port, logger);
  const aliases = options.instancePorts ? await openInstancePorts(edge, pool, host, logger) : undefined;
  const servers = () => [server, ...(aliases?.servers() ?? [])];

  return {
    port,
    baseUrl: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async drain(timeoutMs) {
      keepAlive.endAll();
      for (const one of servers()) one.close();
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([edge.requests.whenNone(), timeout]);
      clearTimeout(timer);
    },
    async [Symbol.asyncDispose]() {
      aliases?.stop();
      keepAlive[Symbol.dispose]();
      await Promise.all(servers().map(close));
      await rest.close();
    },
  };
}

/** One listener an instance, kept in step with the pool. A port that is taken is logged and left out. */
async function openInstancePorts(edge: Edge, pool: Pool, host: string, logger: Logger) {
  const open = new Map<string, Server>();
  let isStopped = false;
  const add = async (id: string, port: number): Promise<void> => {
    const mount: MountKey = `server:${id}`;
    const isMount = /^\/mcp\/?$/;
    const notFound: RequestListener = (_request, response) => {
      response.writeHead(404).end();
    };
    const server = serverFor(route(edge, (path) => (isMount.test(path) ? mount : undefined), notFound, true));
    try {
      await bind(server, host, port, logger);
      // Meanwhile the instance may have been removed, or the listeners closed.
      if (isStopped || !pool.get(id)) await close(server);
      else open.set(id, server);
    } catch (error) {
      const problem = isAppError(error) ? error.code : messageOf(error);
      logger.warn({ server: id, port, problem }, 'could not open the port of an instance');
    }
  };
  const remove = (id: string): void => {
    const server = open.get(id);
    open.delete(id);
    if (server) void close(server);
  };
  const off = pool.events.on((event) => {
    const { id, port } = event.instance.spec;
    if (event.kind === 'added') void add(id, port);
    else if (event.kind === 'removed' && !pool.get(id)) remove(id);
    else if (event.kind === 'replaced' && event.former.spec.port !== port) {
      remove(id);
      void add(id, port);
    }
  });
  await Promise.all(pool.instances().map(({ spec }) => add(spec.id, spec.port)));
  return {
    servers: () => [...open.values()],
    stop() {
      isStopped = true;
      off();
    },
  };
}
