/**
 * Which instance a call goes to, and what becomes of it when that one fails: what was never sent, or may be sent twice,
 * goes to another instance or to the restarted one, within the time the call has. Anything else fails once, and clearly.
 */

import { randomInt } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import type { Incident, OnIncident } from '../kernel/observations.ts';
import { asPriority, lowerPriority, type Priority } from '../kernel/pool-options.ts';
import { priorityKey } from '../kernel/protocol.ts';
import type { Balancer } from '../pool/balancer.ts';
import type { Connection, Instance } from '../pool/instance.ts';
import type { Owner } from '../pool/own-instances.ts';
import type { Place, Wish } from '../pool/scale/places.ts';
import { localOwner } from '../kernel/principal.ts';
import type { Origin } from './affinity.ts';
import type { Exchange } from './exchange.ts';
import { ownerOf } from './owner.ts';

export interface FailoverCall {
  /** Interchangeable instances; at least one. */
  readonly instances: readonly Instance[];
  readonly exchange: Exchange;
  readonly params: JsonObject;
  /** The most urgent that it can be. */
  readonly maxPriority?: Priority | undefined;
  /** Where the conversation began, if this call goes on with one: it goes there and nowhere else. */
  readonly origin: Origin | undefined;
  /** May be sent twice without harm. Asked only when it failed after it was sent. */
  readonly isRepeatable: () => boolean;
}

export interface Attempt extends Origin {
  /** Where calls have to wait for one: given back when the attempt is over. */
  readonly place?: Place | undefined;
  /** What is left of the call's time, milliseconds; the whole of it at first. */
  readonly timeoutMs: number;
}

/** Tries of a call, those counted in which it was never sent; one that was sent is repeated once. */
const maxTries = 3;

/** Before the same connection is tried again: the transport may just be finding out that it is dead. */
const pauseMs = 100;

/** Sends a call; `send` rejects UPSTREAM_UNAVAILABLE when the call has not reached the server. */
export async function withFailover(
  call: FailoverCall,
  clock: Clock,
  send: (attempt: Attempt) => Promise<JsonObject>,
  onIncident?: OnIncident,
): Promise<JsonObject> {
  const [first] = call.instances;
  if (!first) throw new AppError('UPSTREAM_UNAVAILABLE', { server: '?', problem: 'it has no instances' });
  if (call.origin) return await send({ ...call.origin, timeoutMs: call.origin.instance.timeoutMs });
  const { balancer, budget } = first.group;
  const isAlone = call.instances.length === 1;
  const key = hashKeyOf(first, call);
  budget.deposit();
  let sentAtMs: number | undefined;
  let failed: Failed | undefined;
  /** How often it reached a server that then failed. */
  let runs = 0;
  for (let tries = 1; ; tries += 1) {
    const instance = isAlone ? first : (pickOne(balancer, key, failed?.instance) ?? first);
    let connection: Connection | undefined;
    let place: Place | undefined;
    try {
      const owner = ownerOf(instance.spec, call.exchange.peer);
      // Whoever has a connection of its own waits for nobody.
      if (instance.places && !owner)
        place = await instance.places.take(wishOf(call, key, failed?.connection));
      connection = await connectionOf({ instance, place, owner, call, key }, failed?.connection, clock);
      if (failed && sentAtMs !== undefined && clock.now() - sentAtMs >= instance.timeoutMs)
        throw failed.error;
      if (failed) onIncident?.(incidentOf(failed, connection, call));
      sentAtMs ??= clock.now();
      const timeoutMs = sentAtMs + instance.timeoutMs - clock.now();
      return await send({ instance, connection, place, timeoutMs });
    } catch (error) {
      if (isAppError(error, 'UPSTREAM_FAILED', 'UPSTREAM_PROTOCOL')) runs += 1;
      const hasRun = runs > 0;
      const isLast =
        tries >= maxTries ||
        runs > 1 ||
        call.exchange.signal.aborted ||
        // Nothing else is there, and it has been waited for already.
        (isAlone && connection === undefined) ||
        (sentAtMs !== undefined && clock.now() - sentAtMs >= instance.timeoutMs);
      const mayRepeat = wasNeverSent(error) || (hasRun && mayRunTwice(error, call));
      if (isLast || !mayRepeat || !budget.withdraw()) throw explained(error, instance, tries, hasRun);
      failed = { instance, connection, error };
    } finally {
      place?.leave();
    }
  }
}

/** One by the policy, unless calls would have to wait there and need not elsewhere. */
function pickOne(
  balancer: Balancer<Instance>,
  key: string | undefined,
  except: Instance | undefined,
): Instance | undefined {
  const chosen = balancer.pick(key, except);
  if (chosen?.places?.hasRoom !== false || except || isSticky(chosen)) return chosen;
  const other = balancer.pick(key, chosen);
  return other?.places?.hasRoom === false ? chosen : other;
}

function isSticky({ spec }: Instance): boolean {
  return spec.selection?.policy === 'consistent-hash';
}

function wishOf(
  { exchange, params, maxPriority }: FailoverCall,
  key: string | undefined,
  except: Connection | undefined,
): Wish {
  const wished = priorityOf(params) ?? exchange.priority;
  const priority = maxPriority === undefined ? wished : lowerPriority(maxPriority, wished);
  return { key, except, signal: exchange.signal, priority };
}

/** What a call says in `_meta` counts more than what its client says in a header. */
function priorityOf(params: JsonObject): Priority | undefined {
  const meta = params['_meta'];
  return isJsonObject(meta) ? asPriority(meta[priorityKey]) : undefined;
}

/** Nothing reached a server: it is not there, or the queue before it was full at once. */
function wasNeverSent(error: unknown): boolean {
  if (isAppError(error, 'UPSTREAM_UNAVAILABLE')) return true;
  return isAppError(error, 'SERVER_BUSY') && error.data['waitedMs'] === undefined;
}

interface Failed {
  readonly instance: Instance;
  readonly connection: Connection | undefined;
  readonly error: unknown;
}

function incidentOf(
  { instance, connection, error }: Failed,
  next: Connection,
  { exchange }: FailoverCall,
): Incident {
  const kind = next === connection ? 'retry' : 'failover';
  return { kind, server: instance.id, call: exchange.requestId, problem: messageOf(error) };
}

function mayRunTwice(error: unknown, { exchange, isRepeatable }: FailoverCall): boolean {
  // Nobody is asked the same question twice.
  return (
    isAppError(error, 'UPSTREAM_FAILED', 'UPSTREAM_PROTOCOL') && exchange.hasAsked !== true && isRepeatable()
  );
}

interface Choice {
  readonly instance: Instance;
  readonly call: FailoverCall;
  readonly place: Place | undefined;
  /** Where the server keeps clients apart. */
  readonly owner: Owner | undefined;
  readonly key: string | undefined;
}

async function connectionOf(
  { instance, call, place, owner, key }: Choice,
  failed: Connection | undefined,
  clock: Clock,
): Promise<Connection> {
  const acquire = () => {
    // Nobody would end the connection that is opened for a session which is over.
    if (owner && call.exchange.signal.aborted) throw new AppError('REQUEST_CANCELLED');
    return place ? place.connect() : instance.acquire(key, failed, owner);
  };
  const connection = await acquire();
  if (failed === undefined || connection !== failed) return connection;
  // One that leaves the pool has not finished its calls before this one has had its turn.
  instance.work.begin();
  try {
    await new Promise<void>((resolve) => void clock.after(pauseMs + randomInt(pauseMs), resolve));
    return await acquire();
  } finally {
    instance.work.end();
  }
}

/** The gateway's own failures say how often it tried, and whether no healthy instance was left. */
function explained(error: unknown, instance: Instance, tries: number, mayHaveRun: boolean): unknown {
  if (!isAppError(error, 'UPSTREAM_UNAVAILABLE', 'UPSTREAM_FAILED', 'UPSTREAM_PROTOCOL', 'UPSTREAM_TIMEOUT'))
    return error;
  const { isFailingOpen } = instance;
  if (tries === 1 && !isFailingOpen && !mayHaveRun) return error;
  const data = {
    ...error.data,
    tries,
    ...(mayHaveRun && { mayHaveRun }),
    ...(isFailingOpen && { failOpen: true }),
  };
  return new AppError(error.code, data, { cause: error });
}

/** What a consistent hash keeps together; undefined where the policy asks for no key. */
function hashKeyOf({ spec }: Instance, { exchange, params }: FailoverCall): string | undefined {
  if (spec.selection?.policy !== 'consistent-hash') return undefined;
  const { hashOn } = spec.selection;
  const { peer } = exchange;
  if (hashOn === 'tenant') return (peer.principal ?? localOwner).tenant;
  if (hashOn.startsWith('argument:')) {
    const args = params['arguments'] as JsonObject | undefined;
    const value = args?.[hashOn.slice('argument:'.length)];
    if (value !== undefined) return typeof value === 'string' ? value : JSON.stringify(value);
  }
  // A modern client has no session: all that is known of it is what it calls itself.
  return exchange.era === 'legacy'
    ? peer.key
    : `${peer.clientInfo?.name ?? ''}/${peer.clientInfo?.version ?? ''}`;
}
