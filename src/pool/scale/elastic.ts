/** What an instance needs so that its replicas follow the load: places, and the scaling of their number, put together. */

import type { InstanceSpec } from '../../catalog/instance-spec.ts';
import { defaultQueue } from '../../kernel/pool-options.ts';
import type { Connection } from '../../transport/connection.ts';
import type { Balancer } from '../balancer.ts';
import type { InFlight } from '../in-flight.ts';
import type { InstanceDependencies } from '../instance-types.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { PoolMember } from '../member.ts';
import type { ReplicaSet } from '../replica-set.ts';
import { createPlaces, type Places } from './places.ts';
import type { Scaler } from './scaler.ts';
import { createScaling, type Scaling } from './scaling.ts';

export interface Elastic {
  /** Undefined where replicas take any number of calls. */
  readonly places: Places | undefined;
  readonly scaling: Scaling;
  /** A call of a replica began or ended; `inFlight` are those of all. */
  loadChanged(member: PoolMember, inFlight: number): void;
  fitnessChanged(): void;
}

export interface ElasticOptions {
  readonly spec: InstanceSpec;
  readonly deps: InstanceDependencies;
  readonly scaler: Scaler;
  readonly replicas: ReplicaSet;
  readonly balancer: Balancer<PoolMember>;
  readonly lifecycleNow: () => Lifecycle;
  /** Whose connection it is, or was. */
  readonly owners: WeakMap<Connection, PoolMember>;
  readonly work: InFlight;
}

/** Some replica is there, or about to be. */
export function isUp(members: readonly PoolMember[]): boolean {
  return members.some(({ replica: { state } }) => state !== 'sleeping' && state !== 'stopped');
}

export function createElastic(options: ElasticOptions): Elastic {
  const { spec, deps, replicas, balancer, lifecycleNow: lifecycle, owners, work } = options;
  const { clock, logger } = deps;
  const { members } = replicas;
  let underWay = 0;

  const limit = spec.maxConcurrency;
  const places =
    limit === undefined
      ? undefined
      : createPlaces({
          server: spec.id,
          limit,
          queue: spec.queue ?? defaultQueue,
          clock,
          members,
          balancer,
          memberOf: (connection) => owners.get(connection),
          admit: () => lifecycle().admit(),
          isHeld: () => !lifecycle().isSteady,
          work,
          onWaiting: () => scaling.loadChanged(underWay, places?.waiting ?? 0),
        });

  const scaling = createScaling({
    server: spec.id,
    settings: spec.scale,
    replicas: spec.replicas,
    byHand: deps.scaleByHand?.(spec.id),
    clock,
    scaler: options.scaler,
    replicasNow: () => ({
      replicas: members.length,
      isStarting: members.some(({ replica }) => replica.state === 'starting'),
      latencyMs: averageOf(members),
    }),
    loadNow: () => ({ underWay, waiting: places?.waiting ?? 0 }),
    refused: () => places?.refused ?? 0,
    isRunning: () => lifecycle().isSteady && isUp(members),
    resize: (count) => replicas.resize(count),
    onDecision: (decision) => logger.info({ server: spec.id, ...decision }, 'replicas'),
  });

  /** What waits for one that does not run any more is told why. */
  function rejectIfOut(waited: Places): void {
    try {
      void lifecycle().admit();
    } catch (error) {
      waited.rejectAll(error);
    }
  }

  return {
    places,
    scaling,
    loadChanged(member, inFlight) {
      underWay = inFlight;
      places?.loadChanged(member);
      scaling.loadChanged(inFlight, places?.waiting ?? 0);
    },
    fitnessChanged() {
      if (!places) return;
      places.fitnessChanged();
      if (places.waiting > 0) rejectIfOut(places);
    },
  };
}

/** Of those that have answered anything, milliseconds. */
function averageOf(members: readonly PoolMember[]): number {
  const known = members.map(({ averageMs }) => averageMs).filter((averageMs) => averageMs > 0);
  return known.length === 0 ? 0 : known.reduce((sum, ms) => sum + ms, 0) / known.length;
}
