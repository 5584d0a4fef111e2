/** How much callers may ask for: what config, metering and the HTTP edge agree on. */

import type { Priority } from './pool-options.ts';

/** Whose calls a rule counts together: those of one user or key, of one tenant, to one server, of one tool, or all. */
export const limitedBy = ['principal', 'tenant', 'server', 'tool', 'all'] as const;
export type LimitedBy = (typeof limitedBy)[number];

/** How much; what is left out is without limit. */
export interface Allowance {
  readonly perSecond?: number | undefined;
  readonly perHour?: number | undefined;
  /** By calendar month, UTC. */
  readonly perMonth?: number | undefined;
  /** At a time. */
  readonly concurrency?: number | undefined;
  /** At once after a pause, of `perSecond` and `perHour`; as many as each of them says when absent. */
  readonly burst?: number | undefined;
}

export interface LimitRule extends Allowance {
  readonly per: LimitedBy;
  /** Whom it is for, by name, in which * stands for anything; everyone when absent. A tool is `server/tool`. */
  readonly of?: readonly string[] | undefined;
}

/** What a tenant or a key may do that was put on it. */
export interface Plan extends Allowance {
  /** The most urgent that its calls can be in the queue of a server; no bound when absent. */
  readonly priority?: Priority | undefined;
}

/** Plans that are there by themselves; one of the config with the same name replaces one. */
export const builtInPlans: Readonly<Record<string, Plan>> = {
  community: { priority: 'low' },
  professional: { priority: 'normal' },
  enterprise: { priority: 'high' },
  'devops-free': { perHour: 10, perMonth: 50, priority: 'low' },
  'devops-starter': { perHour: 100, perMonth: 500, priority: 'normal' },
  'devops-professional': { perHour: 500, perMonth: 2500, priority: 'normal' },
  'devops-enterprise': { perHour: 2000, perMonth: 10_000, priority: 'high' },
};

/** All that is configured of it; it may change while a coordinator runs. */
export interface LimitSettings {
  readonly rates: Readonly<Record<string, LimitRule>>;
  /** Own plans, beside those built in. */
  readonly plans: Readonly<Record<string, Plan>>;
  /** Of each tenant that has none of its own; none when absent. */
  readonly plan?: string | undefined;
  readonly tenantPlans: Readonly<Record<string, string>>;
  /** By id of a user or key; counted for itself and not for its tenant. */
  readonly principalPlans: Readonly<Record<string, string>>;
}

export const limitWindows = ['second', 'hour', 'month', 'concurrency'] as const;
export type LimitWindow = (typeof limitWindows)[number];

/** How somebody stands with one limit. */
export interface Standing {
  /** Name of the rule or plan. */
  readonly rule: string;
  readonly per: LimitedBy;
  /** What is counted: an id, a name, `server/tool`, or `*` for all. */
  readonly of: string;
  readonly window: LimitWindow;
  /** In one window, or at a time. */
  readonly limit: number;
  /** Most that may come at once. */
  readonly burst: number;
  /** What may come now. */
  readonly remaining: number;
  /** Until all of it is there again, milliseconds; 0 for what is there when somebody leaves. */
  readonly resetMs: number;
}

/** What was refused, by the rule's kind, for metrics; `address` is one that showed too many wrong keys. */
export type OnLimited = (per: LimitedBy | 'address', window: LimitWindow | 'minute') => void;
