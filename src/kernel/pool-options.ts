/** How calls are spread over instances and how their health is judged: what config, catalog and pool agree on. */

/** The ways to choose one of several instances. */
export const policyNames = ['round-robin', 'least-requests', 'power-of-two', 'consistent-hash'] as const;
export type BuiltInPolicy = (typeof policyNames)[number];
/** `<plugin>/<policy>`, of a plugin. */
export const pluginPartPattern = /^[a-z0-9][a-z0-9-]{0,63}\/[a-z0-9][a-z0-9-]{0,63}$/;
export type PolicyName = BuiltInPolicy | `${string}/${string}`;

/** What a consistent hash keeps together: a client session, a tenant, or calls with equal values of one argument. */
export const hashOnPattern = /^(session|tenant|argument:.+)$/;

/** Who shares one connection to a server: all clients, or only the calls of one session, user or tenant. */
export const isolations = ['shared', 'per-session', 'per-user', 'per-tenant'] as const;
export type Isolation = (typeof isolations)[number];

/** Connections of clients' own that one server may have at once, unless its entry says otherwise. */
export const defaultMaxConnections = 64;

export interface SelectionOptions {
  readonly policy: PolicyName;
  /** `session`, `tenant` or `argument:<name>`; of use to consistent-hash only. */
  readonly hashOn: string;
  /** A restarted instance reaches its full share after so long, milliseconds; 0 gives it at once. */
  readonly slowStartMs: number;
}

export const defaultSelection: SelectionOptions = {
  policy: 'round-robin',
  hashOn: 'session',
  slowStartMs: 10_000,
};

export interface HealthOptions {
  /** Time between two checks of a quiet connection, milliseconds; 0 checks none. */
  readonly checkIntervalMs: number;
  /** Longest time for the answer to a check, milliseconds. */
  readonly checkTimeoutMs: number;
  /** So many failures in a row take an instance out of traffic. */
  readonly failures: number;
  /** Time out of traffic before it is tried again, milliseconds; doubled each time the trial fails. */
  readonly openMs: number;
  /** An instance whose calls take longer than this on average is shown as degraded, milliseconds. */
  readonly slowMs?: number | undefined;
}

export const defaultHealth: HealthOptions = {
  checkIntervalMs: 30_000,
  checkTimeoutMs: 5000,
  failures: 5,
  openMs: 5000,
};

/** How urgent a call is, the most urgent first. */
export const priorities = ['high', 'normal', 'low'] as const;
export type Priority = (typeof priorities)[number];

/** A priority as a client wrote it; undefined where it is none. */
export function asPriority(value: unknown): Priority | undefined {
  return priorities.find((priority) => priority === value);
}

/** The one that is wished for, unless that is more urgent than what is given. */
export function lowerPriority(given: Priority, wished: Priority | undefined): Priority {
  return wished !== undefined && priorities.indexOf(wished) > priorities.indexOf(given) ? wished : given;
}

export interface QueueOptions {
  /** Most calls that wait for a place; one more is refused. */
  readonly maxWaiting: number;
  /** Longest wait for a place, milliseconds. */
  readonly maxWaitMs: number;
  /** Priority of its calls; a client can only lower it. */
  readonly priority: Priority;
}

export const defaultQueue: QueueOptions = { maxWaiting: 1000, maxWaitMs: 10_000, priority: 'normal' };

/** Fewest and most replicas. */
export interface ScaleBounds {
  readonly min: number;
  readonly max: number;
}

export interface ScaleOptions extends ScaleBounds {
  /** Calls under way in one replica that are aimed for; may be a fraction. */
  readonly targetConcurrency: number;
  /** Average time of a call above which more replicas are tried, milliseconds. */
  readonly targetLatencyMs?: number | undefined;
  /** Time between a change and the next growth, milliseconds. */
  readonly upCoolDownMs: number;
  /** Replicas go when so long fewer would have done, and nothing has changed, milliseconds. */
  readonly downCoolDownMs: number;
}

export const mostReplicas = 64;

export const defaultScale = { targetConcurrency: 4, upCoolDownMs: 3000, downCoolDownMs: 300_000 } as const;

/** Share of `maxConcurrency` that is aimed for where no target is given. */
export const defaultFill = 0.7;

/** What one server wants otherwise than the rest; what it leaves out is as for all. */
export interface OwnPoolOptions {
  readonly selection?: SelectionOptions | undefined;
  readonly health?: Partial<Readonly<Record<keyof HealthOptions, number | undefined>>> | undefined;
  /** Put to sleep after so long without a call, milliseconds. */
  readonly idleMs?: number | undefined;
  /** Most calls at a time in one replica; the others wait. */
  readonly maxConcurrency?: number | undefined;
  readonly queue?: QueueOptions | undefined;
}

/** The fields of an instance's spec that come from a server's own options; `health` fills what it leaves out. */
export function poolOptionsOf(own: OwnPoolOptions, health: HealthOptions): PoolOptions {
  const given = Object.entries(own.health ?? {}).filter(([, value]) => value !== undefined);
  return {
    selection: own.selection ?? defaultSelection,
    health: { ...health, ...Object.fromEntries(given) },
    ...(own.idleMs !== undefined && { idleMs: own.idleMs }),
    ...(own.maxConcurrency !== undefined && { maxConcurrency: own.maxConcurrency }),
    ...(own.queue !== undefined && { queue: own.queue }),
  };
}

export interface PoolOptions {
  /** How calls are spread over its replicas, and over the instances of its group; defaults when absent. */
  readonly selection?: SelectionOptions;
  /** How its health is judged; defaults when absent. */
  readonly health?: HealthOptions;
  /** Put to sleep after so long without a call, milliseconds; never when absent. */
  readonly idleMs?: number;
  /** Most calls at a time in one replica, the others wait in a queue; no limit when absent. */
  readonly maxConcurrency?: number;
  /** That queue; defaults when absent. */
  readonly queue?: QueueOptions;
}
