/** /api/v1/servers: list, inspect, add, remove, start, stop, restart, scale, logs; and many at once. */

import type { ServerItem } from '../../contract/rest/server-routes.ts';
import type { Bulk } from '../../fleet/bulk.ts';
import type { ScaleKeeper } from '../../fleet/scale-server.ts';
import { findServer as lookUp, selectServers } from '../../fleet/select-servers.ts';
import { exposedName } from '../../gateway/names.ts';
import { AppError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { defaultSelection } from '../../kernel/pool-options.ts';
import type { Instance } from '../../pool/instance.ts';
import { stateOfMember } from '../../pool/instance-state.ts';
import type { LogPage, LogRing } from '../../pool/log-ring.ts';
import type { PoolMember } from '../../pool/member.ts';
import type { Pool } from '../../pool/pool.ts';
import type { RouteHandlers } from '../serve-routes.ts';
import { scaleRoutes, toQueueItem, toScaleItem } from './scale.ts';

/** Servers that come and go while the coordinator runs; kept so that they are there after a restart. */
export interface ServerRegistry {
  add(name: string, entry: JsonObject): Promise<Instance>;
  remove(id: string): Promise<void>;
}

export interface ServersDependencies {
  readonly pool: Pool;
  readonly registry: ServerRegistry;
  readonly scales: ScaleKeeper;
  readonly bulk: Bulk;
  /** Base URL of the coordinator, e.g. `http://127.0.0.1:3000`. */
  readonly baseUrl: () => string;
}

export function toServerItem(instance: Instance): ServerItem {
  const { spec, listing, counters, state, reason, pid, startedAtMs } = instance;
  const { bounds } = instance.scaling;
  return {
    id: spec.id,
    name: spec.name,
    alias: spec.alias,
    title: spec.title,
    category: spec.category,
    port: spec.port,
    transport: spec.launch.kind,
    source: spec.source,
    ...(spec.origin !== undefined && { origin: spec.origin }),
    state,
    ...(reason !== undefined && state !== 'ready' && { reason }),
    since: new Date(instance.sinceMs).toISOString(),
    ...(listing && { era: listing.era, tools: listing.tools.length }),
    ...(listing?.held && { held: listing.held.length }),
    replicas: instance.members.length,
    ...(bounds.min < bounds.max && { bounds }),
    ...(instance.places && { waiting: instance.places.waiting }),
    lazy: spec.lazy,
    ...(spec.tags && { tags: [...spec.tags] }),
    ...(spec.isolation !== undefined && { isolation: spec.isolation }),
    ...(instance.sessions !== undefined && { sessions: instance.sessions }),
    ...counters,
    ...(pid !== undefined && { pid }),
    ...(startedAtMs !== undefined && { startedAt: new Date(startedAtMs).toISOString() }),
  };
}

function toReplicaItem(member: PoolMember) {
  const { reason, lastAnswerAtMs, replica } = member;
  const pid = replica.connection?.pid;
  return {
    state: stateOfMember(member),
    ...(reason !== undefined && { reason }),
    breaker: member.breaker,
    inFlight: member.inFlight,
    latencyMs: Math.round(member.averageMs * 100) / 100,
    ...(lastAnswerAtMs !== undefined && { lastAnswerAt: new Date(lastAnswerAtMs).toISOString() }),
    restarts: replica.restarts,
    ...(replica.lastBreak && {
      lastBreak: {
        at: new Date(replica.lastBreak.atMs).toISOString(),
        reason: replica.lastBreak.reason,
      },
    }),
    ...(pid !== undefined && { pid }),
  };
}

/** By id, alias or port; throws NOT_FOUND. */
export function findServer(pool: Pool, id: string): Instance {
  const instance = lookUp(pool, id);
  if (!instance) throw new AppError('NOT_FOUND', { what: 'server', id });
  return instance;
}

const defaultTail = 200;
const mostLines = 5000;

/** The lines that a query asks for. Throws INVALID_INPUT when `since` is a time that is none. */
export function readLogs(
  logs: LogRing,
  query: { tail?: number | undefined; since?: string | undefined },
): LogPage {
  const { tail, since } = query;
  if (since === undefined) return logs.tail(tail ?? defaultTail);
  const isPosition = /^[0-9a-f]{8}-\d+$/.test(since);
  const atMs = isPosition ? 0 : Date.parse(since);
  if (Number.isNaN(atMs))
    throw new AppError('INVALID_INPUT', {
      field: 'query.since',
      problem: 'must be a position of this log or a time in ISO 8601',
    });
  return logs.read(isPosition ? since : atMs, tail ?? mostLines);
}

type ServerRoutes = Pick<
  RouteHandlers,
  | 'serversList'
  | 'serversInspect'
  | 'serversAdd'
  | 'serversRemove'
  | 'serversStart'
  | 'serversStop'
  | 'serversRestart'
  | 'serversScale'
  | 'serversLogs'
  | 'serversBulk'
>;

export function serversRoutes({ pool, registry, bulk, scales, baseUrl }: ServersDependencies): ServerRoutes {
  return {
    ...scaleRoutes((id) => findServer(pool, id), scales),
    async serversList({ query }) {
      const limit = query.limit ?? 100;
      const after = query.cursor === undefined ? 0 : placeOf(query.cursor);
      const { select } = query;
      const all = pool.instances();
      const selected = select === undefined ? all : selectServers(all, select);
      const matching = selected.filter(
        ({ spec, state }) =>
          (query.category ?? spec.category) === spec.category && (query.state ?? state) === state,
      );
      const items = matching.slice(after, after + limit).map(toServerItem);
      const isMore = after + limit < matching.length;
      return {
        items,
        ...(isMore && { nextCursor: Buffer.from(String(after + limit)).toString('base64url') }),
      };
    },
    async serversInspect({ params }) {
      const instance = findServer(pool, params.id);
      const { listing, spec } = instance;
      return {
        ...toServerItem(instance),
        url: `${baseUrl()}/mcp/servers/${encodeURIComponent(spec.id)}`,
        policy: (spec.selection ?? defaultSelection).policy,
        failOpen: instance.isFailingOpen,
        replicaStates: [...instance.members, ...instance.replicas.leaving].map(toReplicaItem),
        scale: toScaleItem(instance),
        queue: toQueueItem(instance),
        toolNames: (listing?.tools ?? []).map(({ name }) => exposedName(spec.alias, String(name))),
        ...(listing && { serverInfo: listing.server.info, capabilities: listing.server.capabilities }),
        ...(listing?.server.instructions !== undefined && { instructions: listing.server.instructions }),
      };
    },
    async serversAdd({ body }) {
      return toServerItem(await registry.add(body.name, body.entry));
    },
    async serversRemove({ params }) {
      const { id } = findServer(pool, params.id).spec;
      await registry.remove(id);
      await scales.remove(id);
      return { removed: id };
    },
    async serversStart({ params }) {
      const instance = findServer(pool, params.id);
      await instance.start();
      return toServerItem(instance);
    },
    async serversStop({ params }) {
      const instance = findServer(pool, params.id);
      await instance.stop();
      return toServerItem(instance);
    },
    async serversRestart({ params }) {
      const instance = findServer(pool, params.id);
      await instance.restart();
      return toServerItem(instance);
    },
    async serversBulk({ body }) {
      return { items: await bulk(body) };
    },
    async serversLogs({ params, query }) {
      const { lines, next, reset } = readLogs(findServer(pool, params.id).logs, query);
      return { lines: [...lines], next, ...(reset && { reset }) };
    },
  };
}

function placeOf(cursor: string): number {
  const place = Number(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!Number.isSafeInteger(place) || place < 0)
    throw new AppError('INVALID_INPUT', { field: 'query.cursor', problem: 'is not a cursor of this list' });
  return place;
}
