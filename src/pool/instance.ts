/** One server instance: its replicas, what it offers, and the calls that go through it. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { createEmitter } from '../kernel/events.ts';
import type { RpcNotification } from '../kernel/json-rpc.ts';
import { defaultSelection } from '../kernel/pool-options.ts';
import type { Connection } from '../transport/connection.ts';
import { defaultTimeoutMs } from '../transport/protocol/calls.ts';
import { createBalancer } from './balancer.ts';
import { createAudience } from './instance-audience.ts';
import { createInFlight } from './in-flight.ts';
import { needsUser } from '../kernel/upstream-auth.ts';
import { createInstanceListing } from './instance-listing.ts';
import { createShownStanding, standingOf } from './instance-state.ts';
import type { Instance, InstanceDependencies, InstanceEvent, PoolParts } from './instance-types.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLogRing } from './log-ring.ts';
import type { PoolMember } from './member.ts';
import { createOwnInstances, type Owner } from './own-instances.ts';
import { createReplicaMember } from './replica-member.ts';
import { createReplicaSet } from './replica-set.ts';
import { createRest } from './rest.ts';
import { createElastic, isUp } from './scale/elastic.ts';
import { createSessionReplay } from './session-replay.ts';
import { createStrikes } from './strikes.ts';

export type { Connection, Instance };

const listChanged = /^notifications\/(tools|prompts|resources)\/list_changed$/;

export async function createInstance(
  spec: InstanceSpec,
  deps: InstanceDependencies,
  { group, checks, scaler, whole }: PoolParts,
): Promise<Instance> {
  const { clock, logger } = deps;
  const selection = spec.selection ?? defaultSelection;
  const events = createEmitter<InstanceEvent>((error) =>
    logger.error({ err: error, server: spec.id }, 'listener failed'),
  );
  const logs = whole?.logs ?? createLogRing(() => clock.now());
  const replay = createSessionReplay(spec.id, logger);
  const counters = { calls: 0, errors: 0 };
  const work = whole?.work ?? createInFlight();
  const timeoutMs = spec.timeoutMs ?? deps.requestTimeoutMs ?? defaultTimeoutMs;
  const owners = whole?.owners ?? new WeakMap<Connection, PoolMember>();
  let inFlight = 0;
  let startedAtMs: number | undefined;
  /** Calls and subscriptions that asked for a connection so far. */
  let wanted = 0;

  const listing =
    whole?.listing ??
    (await createInstanceListing({
      ...deps,
      spec,
      live: () => liveConnections()[0],
      onChange: () => events.emit({ kind: 'listing' }),
    }));

  const balancer = createBalancer<PoolMember>({
    ...selection,
    plugins: deps.policies,
    onFailOpen(isOpen) {
      if (isOpen) deps.onIncident?.({ kind: 'fail-open', server: spec.id });
    },
  });

  const onBroken =
    whole?.onBroken ?? createStrikes(clock, (reason) => void lifecycle.quarantine(reason, false));

  const parts = { listing, logs, work, owners, onBroken };
  const own = createOwnInstances({
    spec,
    group,
    create: (ownSpec, ownGroup) =>
      createInstance(ownSpec, deps, { group: ownGroup, checks, scaler, whole: parts }),
    events,
    onChange: () => touch(),
  });

  function onNotification(notification: RpcNotification): void {
    if (listChanged.test(notification.method)) listing.changed();
    else events.emit({ kind: 'notification', notification });
  }

  async function onOpen(connection: Connection, member: PoolMember): Promise<void> {
    // What is offered is the same for all: it is asked of the connection that belongs to nobody, if that may ask.
    if (!whole || !listing.current) await listing.onOpen(connection);
    startedAtMs = clock.now();
    await replay.onOpen(connection, member === members[0]);
    owners.set(connection, member);
    member.opened(connection);
    rest.used();
  }

  const replicaOptions = {
    spec,
    deps,
    checks,
    logs,
    timeoutMs,
    onBroken,
    onOpen,
    onNotification,
    onChange: () => touch(),
    onLoad(member: PoolMember, by: 1 | -1) {
      inFlight += by;
      balancer.loadChanged(member);
      group.balancer.loadChanged(instance);
      rest.used();
      elastic.loadChanged(member, inFlight);
    },
  };

  const replicas = createReplicaSet({
    count: deps.scaleByHand?.(spec.id)?.min ?? spec.replicas,
    create: (index) => createReplicaMember(index, replicaOptions),
    isUp: () => lifecycle.isSteady && isUp(members),
    onChange: () => touch(),
  });
  const { members } = replicas;
  balancer.setMembers(members);
  const everyone = (): readonly PoolMember[] => (own.size === 0 ? members : [...members, ...own.members()]);

  const lifecycleNow = () => lifecycle;
  const elastic = createElastic({ spec, deps, scaler, replicas, balancer, owners, work, lifecycleNow });

  const rest = createRest({
    clock,
    idleMs: own.unownedIdleMs,
    isBusy: () => inFlight > 0 || replay.subscribed.size > 0 || liveConnections().length === 0,
    async sleep() {
      await Promise.all(members.map(({ replica }) => replica.stop('sleeping')));
      elastic.scaling.slept();
    },
  });

  function liveConnections(): Connection[] {
    return members.flatMap(({ replica }) => replica.connection ?? []);
  }

  const lifecycle = createLifecycle({
    server: spec.id,
    lazy: spec.lazy,
    logger,
    replicas,
    rest,
    drainMs: deps.drainMs ?? 0,
    isQuiet: () => inFlight === 0,
    closeOwn: (drains) => own.endAll(drains),
    onListed(isListed) {
      if (!isListed && !whole) listing.cancel();
      events.emit({ kind: 'listing' });
    },
    onChange: () => touch(),
  });

  const shown = createShownStanding(
    clock,
    () => lifecycle.standing ?? standingOf(everyone(), balancer.isFailingOpen, elastic.scaling.bounds.min),
    () => events.emit({ kind: 'state' }),
  );

  /** Something about a replica has changed: the choice is made anew, and the state told if it is another one. */
  function touch(): void {
    balancer.fitnessChanged();
    group.balancer.fitnessChanged();
    elastic.fitnessChanged();
    shown.update();
  }

  async function acquire(key?: string, except?: Connection, owner?: Owner): Promise<Connection> {
    for (let wait = lifecycle.admit(); wait; wait = lifecycle.admit()) await wait;
    wanted += 1;
    if (owner) return await (await own.get(owner)).acquire();
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
    get members() {
      return everyone();
    },
    replicas,
    places: elastic.places,
    scaling: elastic.scaling,
    group,
    work,
    timeoutMs,
    get state() {
      return shown.current.state;
    },
    get reason() {
      return shown.current.reason;
    },
    get sinceMs() {
      return shown.sinceMs;
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
    get sessions() {
      return spec.isolation && own.size;
    },
    get isWatched() {
      return replay.subscribed.size > 0;
    },
    get counters() {
      const ownRestarts = own.members().reduce((sum, { replica }) => sum + replica.restarts, 0);
      return { ...counters, restarts: replicas.restarts + ownRestarts };
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
    retire(drains = false) {
      elastic.scaling.close();
      return lifecycle.retire(drains);
    },
    quarantine: (reason, held = false) => lifecycle.quarantine(reason, held),
    release: () => lifecycle.release(),
    get isHeld() {
      return lifecycle.isHeld;
    },
    async learn() {
      const before = wanted;
      await lifecycle.admit();
      if ((await listing.recall()) || needsUser(spec.auth)) return;
      await members[0]?.replica.acquire();
      // Whoever called meanwhile is using it.
      if (wanted === before && work.size === 0) await members[0]?.replica.stop();
    },
    acquire,
    endOwner: (key) => own.end(key),
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
    ...createAudience({
      members,
      own,
      replay,
      lifecycle,
      rest,
      liveConnections,
      onWanted() {
        wanted += 1;
      },
    }),
  };
  return instance;
}
