/** Which limits hold for whom, as configured. */

import type { Priority } from '../../kernel/pool-options.ts';
import {
  type Allowance,
  builtInPlans,
  type LimitedBy,
  type LimitSettings,
  type LimitWindow,
  type Plan,
} from '../../kernel/rate-limits.ts';
import type { Policy } from './buckets.ts';

/** A policy, and the name that its buckets keep when the config changes. */
export interface NamedPolicy {
  /** `rule:<name>`, or `plan`: whoever gets another plan keeps what was counted. */
  readonly source: string;
  readonly policy: Policy;
}

/** What holds for one user or key. */
export interface OwnRules {
  readonly policies: readonly NamedPolicy[];
  readonly plan: string | undefined;
  readonly priority: Priority | undefined;
}

export interface Rules {
  /** Nothing is limited. */
  readonly isEmpty: boolean;
  ofPrincipal(id: string, tenant: string): OwnRules;
  /** Of a server's id or of `server/tool`. */
  ofName(per: 'server' | 'tool', name: string): readonly NamedPolicy[];
}

function matches(patterns: readonly string[] | undefined, name: string): boolean {
  if (!patterns) return true;
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.+?()[\]{}|/-]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
  });
}

function policiesOf(source: string, rule: string, per: LimitedBy, given: Allowance): NamedPolicy[] {
  const limits: [LimitWindow, number | undefined, number | undefined][] = [
    ['second', given.perSecond, given.burst],
    ['hour', given.perHour, given.burst],
    ['month', given.perMonth, undefined],
    ['concurrency', given.concurrency, undefined],
  ];
  return limits.flatMap(([window, limit, burst]) =>
    limit === undefined
      ? []
      : [{ source, policy: { rule, per, window, limit, burst: burst ?? Math.max(1, Math.ceil(limit)) } }],
  );
}

export function createRules(settings: LimitSettings): Rules {
  const { rates, plans, plan: common, tenantPlans, principalPlans } = settings;
  const rules = Object.entries(rates);
  const planNamed = (name: string): Plan | undefined =>
    Object.hasOwn(plans, name)
      ? plans[name]
      : Object.hasOwn(builtInPlans, name)
        ? builtInPlans[name]
        : undefined;

  const of = (per: LimitedBy, name: string): NamedPolicy[] =>
    rules
      .filter(([, rule]) => rule.per === per && matches(rule.of, name))
      .flatMap(([rule, allowance]) => policiesOf(`rule:${rule}`, rule, per, allowance));

  return {
    isEmpty:
      rules.length === 0 &&
      common === undefined &&
      Object.keys(tenantPlans).length + Object.keys(principalPlans).length === 0,
    ofPrincipal(id, tenant) {
      const own = Object.hasOwn(principalPlans, id) ? principalPlans[id] : undefined;
      const plan = own ?? (Object.hasOwn(tenantPlans, tenant) ? tenantPlans[tenant] : common);
      const found = plan === undefined ? undefined : planNamed(plan);
      const per = own === undefined ? 'tenant' : 'principal';
      return {
        policies: [
          ...of('principal', id),
          ...of('tenant', tenant),
          ...of('all', '*'),
          ...(plan !== undefined && found ? policiesOf('plan', plan, per, found) : []),
        ],
        plan,
        priority: found?.priority,
      };
    },
    ofName: of,
  };
}
