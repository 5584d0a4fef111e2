/**
 * The listeners: one for everything, and, when switched on, one more for each instance's own port. All go
 * through the same guards. MCP paths never enter the REST framework.
 */

import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gateway } from '../gateway/gateway.ts';
import type { MountKey } from '../gateway/mounts.ts';
import type { Authenticate } from '../identity/authenticate.ts';
import type { Authorizer } from '../kernel/authorizer.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { Pool } from '../pool/pool.ts';
import type { HeadBounds } from './bounds/assert-head.ts';
import { type ConnectionBounds, createConnections } from './bounds/connections.ts';
import { createForwarded, type ForwardedOptions } from './forwarded.ts';
import { createAccess, type FailedKeys, type RefusedRequest } from './access.ts';
import { type ChangeSource, createChangeStreams } from './change-stream.ts';
import type { RequestLimits } from './count-request.ts';
import type { GitEndpoint } from './git/git-endpoint.ts';
import { assertMayBind, createGuard, type GuardOptions } from './guards.ts';
import { createLogStreams } from './log-stream.ts';
import { createMcpEndpoint } from './mcp/endpoint.ts';
import { createKeepAlive } from './mcp/reply.ts';
import type { Certificate } from './tls/certificate.ts';
import { thumbprintOf } from './tls/client-certificate.ts';
import { createServers, type ServerBounds, type Servers } from './tls/servers.ts';
import { createOpenRequests } from './open-requests.ts';
import type { PeopleEndpoint } from './people/people-endpoint.ts';
import { createOriginOf, type TokenSource } from './protected-resource.ts';
import { createRest, type RestOptions } from './rest.ts';
import type { SignInPages } from './upstream-sign-in.ts';
import { type Edge, routeRequest } from './route-request.ts';
import type { RouteHandlers } from './serve-routes.ts';

export interface ListenOptions extends Omit<GuardOptions, 'schemeOf'>, ForwardedOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly gateway: Gateway;
  readonly pool: Pool;
  readonly handlers: RouteHandlers;
  /** Changes that are streamed to who asks for events. */
  readonly memory: ChangeSource;
  /** Clone, fetch and push under /git/. */
  readonly git?: GitEndpoint;
  /** Pages on which users give leave for servers. */
  readonly signIns?: SignInPages;
  readonly isReady: () => boolean;
  readonly metrics?: RestOptions['metrics'];
  readonly logger: Logger;
  readonly nextRequestId: () => string;
  readonly bodyLimitBytes: number;
  /** Who sends a request; without it everybody who gets here is the owner. */
  readonly authenticate?: Authenticate | undefined;
  /** Who may do what; goes with `authenticate`. */
  readonly authorizer?: Authorizer | undefined;
  /** Hears of requests that were refused at the door. */
  readonly onRefused?: ((refusal: RefusedRequest) => void) | undefined;
  /** Writes down changes over REST. */
  readonly auditChange?: RestOptions['auditChange'];
  readonly connections: ServerBounds & ConnectionBounds & HeadBounds & { readonly jsonDepth: number };
  /** With it all listeners speak HTTPS. */
  readonly certificate?: Certificate | undefined;
  readonly clock: Clock;
  /** Counts requests that are no calls to servers. */
  readonly requestLimits?: RequestLimits | undefined;
  /** Counts wrong keys. */
  readonly failedKeys?: FailedKeys | undefined;
  /** Pages where people sign in, and the authorization server. */
  readonly people?: PeopleEndpoint | undefined;
  /** Where clients get tokens. */
  readonly tokenSource?: TokenSource | undefined;
  /** How clients reach a gateway behind a proxy. */
  readonly publicUrl?: string | undefined;
  /** Open each instance's own port as an alias of its single-server mount. */
  readonly instancePorts: boolean;
}

export interface Listeners extends AsyncDisposable {
  readonly port: number;
  readonly baseUrl: string;
  /** Takes no new connections and waits for open requests, at most so long, milliseconds. */
  drain(timeoutMs: number): Promise<void>;
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
  assertMayBind(host, options.authenticate !== undefined);
  const keepAlive = createKeepAlive();
  const { certificate } = options;
  const asksCertificates = certificate !== undefined && certificate.material.clientAuth !== 'none';
  const forwarded = createForwarded(options);
  const originOf = createOriginOf(options.publicUrl, forwarded.schemeOf);
  const access = createAccess({
    ...options,
    originOf,
    addressOf: forwarded.addressOf,
    ...(asksCertificates && { thumbprint: (request) => thumbprintOf(request, certificate.material) }),
  });
  const bounds = options.connections;
  const connections = createConnections({
    ...options,
    ...forwarded,
    bounds,
    // What was asked for, nobody has read.
    onRefused: (code) => options.onRefused?.({ code, method: '', path: '' }),
  });
  const created = createServers({ bounds, connections, certificate });
  const endpoint = createMcpEndpoint({
    gateway,
    logger,
    keepAlive,
    nextRequestId: options.nextRequestId,
    bodyLimitBytes: options.bodyLimitBytes,
    maxJsonDepth: bounds.jsonDepth,
    identify: (request) => access.principalOf(request),
    addressOf: (request) => access.addressOf(request),
  });
  const edge: Edge = {
    guard: createGuard({ ...options, schemeOf: forwarded.schemeOf }),
    head: bounds,
    connections,
    forwarded,
    isTls: certificate !== undefined,
    access,
    endpoint,
    git: options.git,
    people: options.people,
    tokenSource: options.tokenSource,
    originOf,
    signIns: options.signIns,
    logger,
    requests: createOpenRequests(),
    limits: options.requestLimits,
  };
  const takesChanges = createChangeStreams({ ...options, access, keepAlive });
  const takesLogs = createLogStreams({ ...options, access, keepAlive });
  let main: Server | undefined;
  const rest = await createRest({
    handlers: options.handlers,
    access,
    serverOf: (id) => ({ id, category: pool.get(id)?.spec.category ?? '' }),
    isReady: options.isReady,
    metrics: options.metrics,
    auditChange: options.auditChange,
    logger,
    bodyLimitBytes: options.bodyLimitBytes,
    maxJsonDepth: bounds.jsonDepth,
    serverFactory: (handler) => {
      const next: RequestListener = (request, response) => {
        if (!takesChanges(request, response) && !takesLogs(request, response)) handler(request, response);
      };
      main = created.serverFor(routeRequest(edge, (path, query) => gateway.mounts.keyOf(path, query), next));
      return main;
    },
  });
  if (!main) throw new Error('the REST framework made no server');
  const server = main;
  const port = await bind(server, host, options.port, logger);
  const aliases = options.instancePorts
    ? await openInstancePorts(edge, created, pool, host, logger)
    : undefined;
  const servers = () => [server, ...(aliases?.servers() ?? [])];

  return {
    port,
    baseUrl: `${certificate ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
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
      connections[Symbol.dispose]();
      created[Symbol.dispose]();
      await Promise.all(servers().map(close));
      await rest.close();
    },
  };
}

/** One listener an instance, kept in step with the pool. A port that is taken is logged and left out. */
async function openInstancePorts(edge: Edge, created: Servers, pool: Pool, host: string, logger: Logger) {
  const open = new Map<string, Server>();
  let isStopped = false;
  const add = async (id: string, port: number): Promise<void> => {
    const mount: MountKey = `server:${id}`;
    const isMount = /^\/mcp\/?$/;
    const notFound: RequestListener = (_request, response) => {
      response.writeHead(404).end();
    };
    const server = created.serverFor(
      routeRequest(edge, (path) => (isMount.test(path) ? mount : undefined), notFound, true),
    );
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
