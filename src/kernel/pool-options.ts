/** How calls are spread over instances and how their health is judged: what config, catalog and pool agree on. */

/** The ways to choose one of several instances. */
export const policyNames = ['round-robin', 'least-requests', 'power-of-two', 'consistent-hash'] as const;
export type BuiltInPolicy = (typeof policyNames)[number];
/** `<plugin>/<policy>`, of a plugin. */
export const pluginPartPattern = /^[a-z0-9][a-z0-9-]{0,63}\/[a-z0-9][a-z0-9-]{0,63}$/;
export type PolicyName = BuiltInPolicy | `${string}/${string}`;

/** What a consistent hash keeps together: a client session, a tenant, or calls with equal values of one argument. */
export const hashOnPattern = /^(session|tenant|argument:.+)$/;

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

/** What one server wants otherwise than the rest; what it leaves out is as for all. */
export interface OwnPoolOptions {
  readonly selection?: SelectionOptions | undefined;
  readonly health?: Partial<Readonly<Record<keyof HealthOptions, number | undefined>>> | undefined;
  /** Put to sleep after so long without a call, milliseconds. */
  readonly idleMs?: number | undefined;
}

/** The fields of an instance's spec that come from a server's own options; `health` fills what it leaves out. */
export function poolOptionsOf(own: OwnPoolOptions, health: HealthOptions): PoolOptions {
  const given = Object.entries(own.health ?? {}).filter(([, value]) => value !== undefined);
  return {
    selection: own.selection ?? defaultSelection,
    health: { ...health, ...Object.fromEntries(given) },
    ...(own.idleMs !== undefined && { idleMs: own.idleMs }),
  };
}

export interface PoolOptions {
  /** How calls are spread over its replicas, and over the instances of its group; defaults when absent. */
  readonly selection?: SelectionOptions;
  /** How its health is judged; defaults when absent. */
  readonly health?: HealthOptions;
  /** Put to sleep after so long without a call, milliseconds; never when absent. */
  readonly idleMs?: number;
}
