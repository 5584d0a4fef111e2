/** The gateway: MCP requests of either era in, answers out. HTTP, sessions' streams and bytes are the edge's. */

import type { ListKind } from '../catalog/listing.ts';
import type { Authorizer } from '../kernel/authorizer.ts';
import { systemClock, type Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject, type RpcNotification } from '../kernel/json-rpc.ts';
import {
  isClientIdentity,
  latestLegacyVersion,
  legacyVersions,
  logLevels,
  type McpLogLevel,
  metaKeys,
  modernVersions,
  type Peer,
} from '../kernel/protocol.ts';
import { localOwner, type Principal } from '../kernel/principal.ts';
import { needsUser } from '../kernel/upstream-auth.ts';
import type { Pool } from '../pool/pool.ts';
import { createAnnouncer } from './announce.ts';
import { type Bundles, createBundles } from './bundles/bundles.ts';
import type { Exchange } from './exchange.ts';
import { supports } from './forward.ts';
import { createInvoker, type Invoker, type InvokerDependencies, textIn } from './invoke.ts';
import { listPage } from './list-pages.ts';
import { type ListenStream, openListen } from './listen.ts';
import { baseKeyOf, createMounts, type MountKey, type Mounts } from './mounts.ts';
import { ownerOf, sessionOwnerKey } from './owner.ts';
import { createParkedCalls } from './parked-calls.ts';
import { createSessionLogs } from './session-logs.ts';
import { createSessions, type Session, type SessionLimits, type Sessions } from './sessions.ts';
import { createSubscriptions, type OnUpdate, toUpdateNotification } from './subscriptions.ts';
import { shownView } from './shown-view.ts';
import { createToolSearch } from './tool-search/tool-search.ts';
import { identityOf } from './view-identity.ts';
import { capabilitiesOf, listingOf, type View } from './view.ts';

export interface Gateway {
  readonly mounts: Mounts;
  readonly sessions: Sessions;
  /** Calls that wait for their client's answer to a question. */
  readonly parkedCalls: number;
  /** What a caller sees of a mount, the owner when none is named; a single server that was never listed is started first. */
  view(key: MountKey, principal?: Principal): Promise<View>;
  /** Answers a request of either era, handshakes and subscriptions aside. */
  handle(view: View, method: string, params: JsonObject, exchange: Exchange): Promise<JsonObject>;
  /** Answers `initialize` and opens the session. */
  initialize(
    key: MountKey,
    params: JsonObject,
    principal?: Principal,
  ): Promise<{ session: Session; result: JsonObject }>;
  discover(view: View): JsonObject;
  setLogLevel(session: Session, params: JsonObject): Promise<JsonObject>;
  /** `resources/subscribe` of a legacy session; ends with the session. */
  subscribe(session: Session, params: JsonObject): Promise<JsonObject>;
  unsubscribe(session: Session, params: JsonObject): Promise<JsonObject>;
  listen(
    view: View,
    filter: unknown,
    peer: Peer,
    send: (notification: RpcNotification) => void,
  ): Promise<ListenStream>;
  /** Roots of a client changed: upstreams of its mount are told. */
  rootsChanged(session: Session): void;
  close(): void;
}

export interface GatewayOptions extends Omit<InvokerDependencies, 'parked' | 'clock'> {
  readonly pool: Pool;
  readonly limits: SessionLimits;
  readonly bundles?: Bundles;
  /** Who sees what; everybody sees everything without it. */
  readonly shownTo?: Authorizer['shownTo'] | undefined;
  /** Called when `shownTo` answers otherwise than before; the returned function ends that. */
  readonly onShownChange?: ((listener: () => void) => () => void) | undefined;
  /** Tools that search mode lists beside its own; none by default. */
  readonly alwaysListed?: (name: string) => boolean;
  readonly clock?: Clock;
}

/** How often idle sessions are looked for. */
const sweepMs = 60_000;

/** Resources one session may watch. */
const maxSubscriptions = 1000;

const listMethods: ReadonlyMap<string, ListKind> = new Map([
  ['tools/list', 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
]);

const invocations: ReadonlyMap<string, Exclude<keyof Invoker, 'pass'>> = new Map([
  ['tools/call', 'callTool'],
  ['prompts/get', 'getPrompt'],
  ['resources/read', 'readResource'],
  ['completion/complete', 'complete'],
]);

/** Methods of the other era, or of the handshake, that are never passed to an upstream. */
const neverPassed =
  /^(initialize|ping|logging\/setLevel|resources\/(un)?subscribe|subscriptions\/listen|server\/discover)$/;

function list(view: View, kind: ListKind, params: JsonObject, exchange: Exchange): JsonObject {
  const { result, text } = listPage(view, kind, params['cursor'], exchange.era);
  exchange.onResultText?.(result, text);
  return result;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { pool } = options;
  const clock = options.clock ?? systemClock;
  const { bundles = createBundles() } = options;
  const mounts = createMounts(pool, { bundles, alwaysListed: options.alwaysListed });
  const parked = createParkedCalls({ clock, supports });
  const invoker = createInvoker({ ...options, parked, clock });
  const toolSearch = createToolSearch((view, params, exchange) => invoker.callTool(view, params, exchange));
  const subscriptions = createSubscriptions();
  const announcer = createAnnouncer(mounts, clock);
  const leave = new Map<Session, () => void>();
  const sessions = createSessions(clock, options.limits, (session) => {
    leave.get(session)?.();
    leave.delete(session);
    for (const unwatch of session.subscriptions.values()) unwatch().catch(() => {});
    endOwn(session);
  });

  /** Closes the connections to servers that the session has to itself. */
  function endOwn({ id }: Session): void {
    const owner = sessionOwnerKey(id);
    for (const instance of pool.instances()) if (instance.sessions) void instance.endOwner(owner);
  }

  const shown = (whole: View, principal: Principal = localOwner): View =>
    shownView(whole, options.shownTo?.(principal));

  const logs = createSessionLogs((mount, principal) => shown(mounts.view(mount), principal), sessions, clock);

  /** Nothing is left to serve there: a client that asks again learns that its session is gone. */
  function endSessionsOn(mount: MountKey): void {
    for (const session of sessions.all()) if (baseKeyOf(session.mount) === mount) sessions.end(session.id);
  }

  let cancelSweep = (): void => {};
  (function sweepLater(): void {
    cancelSweep = clock.after(sweepMs, () => {
      sessions.sweep();
      sweepLater();
    });
  })();

  const off = pool.events.on((event) => {
    // One of the same id may have come meanwhile: its sessions go on.
    if (event.kind === 'removed' && !pool.get(event.instance.spec.id))
      endSessionsOn(`server:${event.instance.spec.id}`);
    if (event.kind === 'replaced') void subscriptions.move(event.former, event.instance);
    if (event.kind !== 'instance') announcer.touch();
    else if (event.event.kind === 'listing') announcer.touch();
    else if (event.event.kind === 'notification') {
      const { notification, owner } = event.event;
      const { uri, _meta: meta } = notification.params ?? {};
      if (notification.method === 'notifications/resources/updated' && typeof uri === 'string')
        subscriptions.publish(event.instance, uri, isJsonObject(meta) ? meta : undefined, owner);
      else if (notification.method === 'notifications/message')
        logs.deliver(event.instance, notification, owner);
    }
  });

  const offShown = options.onShownChange?.(() => announcer.tellAll());
  const offBundles = bundles.onChange((name, isGone) => {
    if (isGone) endSessionsOn(`bundle:${name}`);
    announcer.touch();
  });

  async function view(key: MountKey, principal?: Principal): Promise<View> {
    const now = mounts.view(key);
    const [group] = now.groups;
    if (!now.isSingle || !group || listingOf(group)) return shown(now, principal);
    const [instance] = group.instances;
    if (needsUser(instance?.spec.auth)) return shown(now, principal);
    await instance?.acquire();
    return shown(mounts.view(key), principal);
  }

  return {
    mounts,
    sessions,
    get parkedCalls() {
      return parked.size;
    },
    view,
    async handle(whole, method, params, exchange) {
      const view = shown(whole, exchange.peer.principal);
      const listed = listMethods.get(method);
      if (listed) return list(view, listed, params, exchange);
      if (view.searched && method === 'tools/call') return await toolSearch.callTool(view, params, exchange);
      const invocation = invocations.get(method);
      if (invocation) return await invoker[invocation](view, params, exchange);
      if (neverPassed.test(method)) throw new AppError('METHOD_NOT_FOUND', { method });
      return await invoker.pass(view, method, params, exchange);
    },
    async initialize(key, params, principal) {
      const current = await view(key, principal);
      const asked = params['protocolVersion'];
      const protocolVersion = legacyVersions.find((version) => version === asked) ?? latestLegacyVersion;
      const session = sessions.open({
        mount: key,
        protocolVersion,
        ...(isClientIdentity(params['clientInfo']) && { clientInfo: params['clientInfo'] }),
        capabilities: isJsonObject(params['capabilities']) ? params['capabilities'] : {},
        ...(principal && { principal }),
      });
      leave.set(session, announcer.add({ mount: key, send: (notification) => session.send(notification) }));
      const { info, instructions } = identityOf(current);
      const result = {
        protocolVersion,
        capabilities: capabilitiesOf(current),
        serverInfo: info,
        ...(instructions !== undefined && { instructions }),
      };
      return { session, result };
    },
    discover(view) {
      const { info, instructions } = identityOf(view);
      return {
        resultType: 'complete',
        supportedVersions: [...modernVersions],
        capabilities: capabilitiesOf(view),
        ...(instructions !== undefined && { instructions }),
        ttlMs: 60_000,
        cacheScope: 'public',
        _meta: { [metaKeys.serverInfo]: info },
      };
    },
    async setLogLevel(session, params) {
      const { level } = params;
      if (!(logLevels as readonly unknown[]).includes(level)) {
        throw new AppError('INVALID_INPUT', {
          field: 'level',
          problem: `must be one of ${logLevels.join(', ')}`,
        });
      }
      session.logLevel = level as McpLogLevel;
      await logs.raiseUpstreams(mounts.view(session.mount));
      return {};
    },
    async subscribe(session, params) {
      const uri = textIn(params, 'uri');
      if (session.subscriptions.has(uri)) return {};
      const onUpdate: OnUpdate = (_, meta) => session.send(toUpdateNotification(uri, meta));
      if (session.subscriptions.size >= maxSubscriptions)
        throw new AppError('OVERLOADED', { problem: `${maxSubscriptions} resources are watched already` });
      const unwatch = await subscriptions.watch(
        shown(mounts.view(session.mount), session.peer.principal),
        uri,
        session.peer,
        onUpdate,
      );
      // Meanwhile the session may have ended, or asked for the same once more.
      if (!leave.has(session) || session.subscriptions.has(uri)) {
        await unwatch();
        if (!leave.has(session)) endOwn(session);
      } else session.subscriptions.set(uri, unwatch);
      return {};
    },
    async unsubscribe(session, params) {
      const uri = textIn(params, 'uri');
      const unwatch = session.subscriptions.get(uri);
      session.subscriptions.delete(uri);
      await unwatch?.();
      return {};
    },
    listen: (whole, filter, peer, send) =>
      openListen({ announcer, subscriptions }, shown(whole, peer.principal), filter, peer, send),
    rootsChanged(session) {
      for (const { instances } of mounts.view(session.mount).groups) {
        for (const instance of instances) {
          const owner = ownerOf(instance.spec, session.peer);
          instance.notify('notifications/roots/list_changed', undefined, owner);
        }
      }
    },
    close() {
      off();
      offBundles();
      offShown?.();
      cancelSweep();
      announcer.close();
      parked.close();
      sessions.close();
    },
  };
}
