/** What an instance is to the rest of the program. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import type { Listing, ListingStore } from '../catalog/listing.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Emitter } from '../kernel/events.ts';
import type { JsonObject, RpcNotification } from '../kernel/json-rpc.ts';
import type { Logger } from '../kernel/log.ts';
import type { OnIncident } from '../kernel/observations.ts';
import type { HealthOptions, ScaleBounds } from '../kernel/pool-options.ts';
import type { McpLogLevel } from '../kernel/protocol.ts';
import type { Connection, ConnectionEvents } from '../transport/connection.ts';
import type { BackoffOptions } from './backoff.ts';
import type { Balancer, Candidate } from './balancer.ts';
import type { CheckSchedule } from './health/check-schedule.ts';
import type { InFlight } from './in-flight.ts';
import type { InstanceListing } from './instance-listing.ts';
import type { InstanceState } from './instance-state.ts';
import type { LogRing } from './log-ring.ts';
import type { PoolMember } from './member.ts';
import type { Owner } from './own-instances.ts';
import type { ReplicaSet } from './replica-set.ts';
import type { PluginPolicies } from './policies/create-policy.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { CallOptions, Places } from './scale/places.ts';
import type { Scaler } from './scale/scaler.ts';
import type { Scaling } from './scale/scaling.ts';

export type InstanceEvent =
  | { readonly kind: 'state' }
  | { readonly kind: 'listing' }
  | {
      readonly kind: 'notification';
      readonly notification: RpcNotification;
      /** Key of the client whose own connection it came over; all others do not get to hear of it. */
      readonly owner?: string;
    };

/** Opens a connection to what a spec describes. */
export type Connect = (
  spec: InstanceSpec,
  events: ConnectionEvents,
  onStderr: (line: string) => void,
  /** Ends a connection attempt under way. */
  signal: AbortSignal,
) => Promise<Connection>;

export interface InstanceDependencies {
  readonly connect: Connect;
  readonly listings: ListingStore;
  /** Told of each listing that is new; answers what of it may be shown. */
  readonly admit?: (spec: InstanceSpec, offered: Listing) => Listing;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest time for one request unless the spec says otherwise; default 60,000. */
  readonly requestTimeoutMs?: number;
  /** Time that calls under way get when an instance is stopped, milliseconds; default 0. */
  readonly drainMs?: number;
  readonly health?: HealthOptions;
  readonly backoff?: BackoffOptions;
  /** Bounds of replicas that were given by hand, by server. */
  readonly scaleByHand?: (server: string) => ScaleBounds | undefined;
  /** Quiet time after a list_changed before the lists are read again, milliseconds. */
  readonly relistDelayMs?: number;
  /** Hears of restarts, circuits that open, and calls that go to sick ones. */
  readonly onIncident?: OnIncident;
  /** Selection policies of plugins. */
  readonly policies?: PluginPolicies;
}

/** The interchangeable instances of one definition in one category. */
export interface InstanceGroup {
  readonly balancer: Balancer<Instance>;
  readonly budget: RetryBudget;
}

export interface Instance extends Candidate {
  readonly spec: InstanceSpec;
  readonly state: InstanceState;
  readonly reason: string | undefined;
  /** Since when it is in its state, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What it offers, as far as it is admitted. */
  readonly listing: Listing | undefined;
  readonly logs: LogRing;
  readonly events: Emitter<InstanceEvent>;
  readonly counters: { readonly calls: number; readonly errors: number; readonly restarts: number };
  readonly members: readonly PoolMember[];
  readonly replicas: ReplicaSet;
  /** Where its replicas take so many calls at a time: a call takes a place first, and then `request`s with it. */
  readonly places: Places | undefined;
  readonly scaling: Scaling;
  readonly group: InstanceGroup;
  /** True while calls go to a sick replica because no other is left. */
  readonly isFailingOpen: boolean;
  /** Longest time for one request, milliseconds. */
  readonly timeoutMs: number;
  readonly startedAtMs: number | undefined;
  readonly pid: number | undefined;
  /** Clients that have a connection of their own now; undefined where they share. */
  readonly sessions: number | undefined;
  /** Resources of it are watched. */
  readonly isWatched: boolean;
  /** Calls that wait for a connection or for an answer. */
  readonly work: InFlight;
  /** What a legacy upstream was last told to log at. */
  readonly logLevel: McpLogLevel | undefined;
  /** Starts every replica; resolves when all are ready. Rejects UPSTREAM_UNAVAILABLE with the first reason. */
  start(): Promise<void>;
  /** Takes no more calls, lets those under way end in `drainMs`, and closes. */
  stop(): Promise<void>;
  /** Closes and opens every replica after the calls under way; those that come meanwhile wait. */
  restart(): Promise<void>;
  /** Stops for good: whoever still holds it can start it no more. Calls under way end with it unless `drains`. */
  retire(drains?: boolean): Promise<void>;
  /** Takes it out of traffic and stops it until someone starts it again, or if it is `held`, releases it. */
  quarantine(reason: string, held?: boolean): Promise<void>;
  /** Ends a quarantine. Rejects as `start`. */
  release(): Promise<void>;
  /** In quarantine until it is released: neither called nor listed, and a start is refused. */
  readonly isHeld: boolean;
  /** Starts a lazy instance once to see what it offers, if nobody knows, and lets it sleep again. */
  learn(): Promise<void>;
  /**
   * A live connection by the selection policy, not `except` while there is another; starts the instance if need be.
   * With an owner: that owner's. Rejects OVERLOADED when there are too many owners.
   */
  acquire(key?: string, except?: Connection, owner?: Owner): Promise<Connection>;
  /** The owner is gone: its connection is closed. */
  endOwner(key: string): Promise<void>;
  /** True while the connection is one of this instance's. */
  isLive(connection: Connection): boolean;
  /** One counted request, over `via` or over a connection by the selection policy. */
  request(method: string, params?: JsonObject, options?: CallOptions, via?: Connection): Promise<JsonObject>;
  /** What is admitted may have changed. */
  readmit(): void;
  /** Tells every live connection of the legacy era, or only that of an owner. */
  notify(method: string, params?: JsonObject, owner?: Owner): void;
  /** Sets the level a legacy upstream logs at, now and after each restart. */
  setLogLevel(level: McpLogLevel): Promise<void>;
  subscribe(uri: string, owner?: Owner): Promise<void>;
  unsubscribe(uri: string, owner?: Owner): Promise<void>;
}

/** What the pool gives each of its instances besides. */
export interface PoolParts {
  readonly group: InstanceGroup;
  readonly checks: CheckSchedule;
  readonly scaler: Scaler;
  /** For the part of an instance that belongs to one client: what it has from the whole. */
  readonly whole?: WholeInstance;
}

/** What the parts of an instance have in common. */
export interface WholeInstance {
  readonly listing: InstanceListing;
  readonly logs: LogRing;
  readonly work: InFlight;
  /** Whose connection it is, or was. */
  readonly owners: WeakMap<Connection, PoolMember>;
  /** Hears why a connection in use broke. */
  readonly onBroken: (reason: Error) => void;
}
