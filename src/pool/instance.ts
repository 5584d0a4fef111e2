/** One server instance: its replicas, what it offers, and the calls that go through it. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { createEmitter } from '../kernel/events.ts';
import type { RpcNotification } from '../kernel/json-rpc.ts';
import { defaultHealth, defaultSelection } from '../kernel/pool-options.ts';
import type { Connection } from '../transport/connection.ts';
import { defaultTimeoutMs } from '../transport/protocol/calls.ts';
import { restartBackoff } from './backoff.ts';
import { createBalancer } from './balancer.ts';
import { createInFlight } from './in-flight.ts';
import { createInstanceListing } from './instance-listing.ts';
import { type Standing, standingOf } from './instance-state.ts';
import type { Instance, InstanceDependencies, InstanceEvent, PoolParts } from './instance-types.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLogRing } from './log-ring.ts';
import { createMember, type PoolMember } from './member.ts';
import { createReplica } from './replica.ts';
import { createRest } from './rest.ts';
import { createSessionReplay } from './session-replay.ts';
import { createStrikes } from './strikes.ts';

export type { Connection, Instance };

const listChanged = /^notifications\/(tools|prompts|resources)\/list_changed$/;

export async function createInstance(
  spec: InstanceSpec,
  deps: InstanceDependencies,
  { group, checks }: PoolParts,
): Promise<Instance> {
  const { clock, logger } = deps;
  const selection = spec.selection ?? defaultSelection;
  const events = createEmitter<InstanceEvent>((error) =>
    logger.error({ err: error, server: spec.id }, 'listener failed'),
  );
  const logs = createLogRing(() => clock.now());
  const replay = createSessionReplay(spec.id, logger);
  const counters = { calls: 0, errors: 0 };
  const work = createInFlight();
  const timeoutMs = spec.timeoutMs ?? deps.requestTimeoutMs ?? defaultTimeoutMs;
  /** Whose connection it is, or was. */
  const owners = new WeakMap<Connection, PoolMember>();
  let inFlight = 0;
  let startedAtMs: number | undefined;
  /** Calls and subscriptions that asked for a connection so far. */
  let wanted = 0;

  const listing = await createInstanceListing({
    spec,
    listings: deps.listings,
    admit: deps.admit,
    clock,
    logger,
    relistDelayMs: deps.relistDelayMs ?? 100,
    live: () => liveConnections()[0],
    onChange: () => events.emit({ kind: 'listing' }),
  });

  const balancer = createBalancer<PoolMember>({
    ...selection,
    plugins: deps.policies,
    onFailOpen(isOpen) {
      if (isOpen) deps.onIncident?.({ kind: 'fail-open', server: spec.id });
    },
  });

  const onBroken = createStrikes(clock, (reason) => void lifecycle.quarantine(reason));

  function onNotification(notification: RpcNotification): void {
    if (listChanged.test(notification.method)) listing.changed();
    else events.emit({ kind: 'notification', notification });
  }

  async function onOpen(connection: Connection, index: number): Promise<void> {
    await listing.onOpen(connection);
    startedAtMs = clock.now();
    await replay.onOpen(connection, index === 0);
    const member = members[index]!;
    owners.set(connection, member);
    member.opened(connection);
    rest.used();
  }

  function createReplicaMember(index: number): PoolMember {
    const replica = createReplica({
      server: spec.id,
      lazy: spec.lazy,
      clock,
      backoff: deps.backoff ?? restartBackoff,
      open: (connectionEvents, signal) =>
        deps.connect(spec, connectionEvents, (line) => logs.push(line), signal),
      onBroken,
      onRestart: (problem) => deps.onIncident?.({ kind: 'restart', server: spec.id, problem }),
      onOpen: (connection) => onOpen(connection, index),
      onNotification,
      onChange: () => touch(),
    });
    const member: PoolMember = createMember({
      id: `${spec.id}/${index}`,
      replica,
      clock,
      health: spec.health ?? deps.health ?? defaultHealth,
      slowStartMs: selection.slowStartMs,
      timeoutMs,
      checks,
      restartsHung: spec.launch.kind !== 'in-process',
      onChange: () => touch(),
      onOpened: (problem, call) =>
        deps.onIncident?.({ kind: 'breaker-opening', server: spec.id, problem, call }),
      onLoad(by) {
        inFlight += by;
        balancer.loadChanged(member);
        group.balancer.loadChanged(instance);
        rest.used();
      },
    });
    return member;
  }

  const members = Array.from({ length: spec.replicas }, (_, index) => createReplicaMember(index));
  balancer.setMembers(members);

  const rest = createRest({
    clock,
    idleMs: spec.idleMs,
    isBusy: () => inFlight > 0 || replay.subscribed.size > 0 || liveConnections().length === 0,
    sleep: () => Promise.all(members.map(({ replica }) => replica.stop('sleeping'))),
  });

  function liveConnections(): Connection[] {
    return members.flatMap(({ replica }) => replica.connection ?? []);
  }

  const lifecycle = createLifecycle({
    server: spec.id,
    logger,
    members,
    rest,
    drainMs: deps.drainMs ?? 0,
    isQuiet: () => inFlight === 0,
    onListed(isListed) {
      if (!isListed) listing.cancel();
      events.emit({ kind: 'listing' });
    },
    onChange: () => touch(),
  });

  const standing = (): Standing => lifecycle.standing ?? standingOf(members, balancer.isFailingOpen);

  let shown = standing();
  let sinceMs = clock.now();

  /** Something about a replica has changed: the choice is made anew, and the state told if it is another one. */
  function touch(): void {
    balancer.fitnessChanged();
    group.balancer.fitnessChanged();
    const next = standing();
    if (next.state === shown.state && next.reason === shown.reason) return;
    if (next.state !== shown.state) sinceMs = clock.now();
    shown = next;
    events.emit({ kind: 'state' });
  }

  async function acquire(key?: string, except?: Connection): Promise<Connection> {
    const restarting = lifecycle.admit();
    if (restarting) await restarting;
    wanted += 1;
    const member = balancer.pick(key, except && owners.get(except));
    if (!member)
      throw new AppError('UPSTREAM_UNAVAILABLE', { server: spec.id, problem: 'it has no replicas' });
    work.begin();
    try {
      return await member.acquire();
    } finally {
      work.end();
    }
  }

  const instance: Instance = {
    id: spec.id,
    spec,
    events,
    logs,
    members,
    group,
    work,
    timeoutMs,
    get state() {
      return shown.state;
    },
    get reason() {
      return shown.reason;
    },
    get sinceMs() {
      return sinceMs;
    },
    get fitness() {
      return lifecycle.isOut ? 'out' : balancer.fitness;
    },
    get inFlight() {
      return inFlight;
    },
    get latencyMs() {
      return members.reduce((sum, member) => sum + member.latencyMs, 0) / members.length;
    },
    get warmth() {
      return members.reduce((most, member) => Math.max(most, member.warmth), 0);
    },
    get isFailingOpen() {
      return balancer.isFailingOpen || group.balancer.isFailingOpen;
    },
    get listing() {
      return listing.current;
    },
    get counters() {
      return { ...counters, restarts: members.reduce((sum, { replica }) => sum + replica.restarts, 0) };
    },
    get logLevel() {
      return replay.logLevel;
    },
    get startedAtMs() {
      return startedAtMs;
    },
    get pid() {
      return liveConnections().find(({ pid }) => pid !== undefined)?.pid;
    },
    start: () => lifecycle.start(),
    stop: () => lifecycle.stop(),
    restart: () => lifecycle.restart(),
    retire: (drains = false) => lifecycle.retire(drains),
    quarantine: (reason) => lifecycle.quarantine(reason),
    async learn() {
      const before = wanted;
      await lifecycle.admit();
      await members[0]?.replica.acquire();
      // Whoever called meanwhile is using it.
      if (wanted === before) await members[0]?.replica.stop();
    },
    acquire,
    isLive: (connection) => owners.get(connection)?.replica.connection === connection,
    async request(method, params, options, via) {
      counters.calls += 1;
      work.begin();
      try {
        const connection = via ?? (await acquire());
        return await owners.get(connection)!.request(connection, method, params, { timeoutMs, ...options });
      } catch (error) {
        // A client that changed its mind says nothing about the server's health.
        if (!isAppError(error, 'REQUEST_CANCELLED')) counters.errors += 1;
        throw error;
      } finally {
        work.end();
      }
    },
    readmit: () => listing.readmit(),
    notify(method, params) {
      if (method === 'notifications/roots/list_changed') replay.rootsChanged();
      for (const connection of liveConnections())
        if (connection.era === 'legacy') connection.notify(method, params);
    },
    setLogLevel: (level) => replay.setLogLevel(level, liveConnections()),
    async subscribe(uri) {
      if (replay.subscribed.has(uri)) return;
      await lifecycle.admit();
      wanted += 1;
      const first = await members[0]?.acquire();
      await first?.subscribe(uri);
      replay.subscribed.add(uri);
    },
    async unsubscribe(uri) {
      if (!replay.subscribed.delete(uri)) return;
      rest.used();
      await members[0]?.replica.connection?.unsubscribe(uri);
    },
  };
  return instance;
}
