/** The decision: denied unless something allows it, and denied when anything denies it. */

import type { Action } from '../../kernel/actions.ts';
import type { PolicyQuery } from '../../kernel/authorizer.ts';
import type { ConditionValues } from '../../kernel/conditions.ts';
import { messageOf } from '../../kernel/errors.ts';
import { isJsonObject } from '../../kernel/json-rpc.ts';
import { isFullOwner, type Principal } from '../../kernel/principal.ts';
import type { CompiledPolicy, CompiledRule } from './compile-policy.ts';
import { heldBack, isAbout } from './match-rule.ts';

export interface Decision {
  readonly isAllowed: boolean;
  /** What decided, such as `developer.deny[0]` or `narrowing.servers`; absent when nothing allows it. */
  readonly rule?: string | undefined;
  /** A condition that could not be decided on, and why. */
  readonly problem?: string | undefined;
  /** Another call of the same tool by the same caller may be decided otherwise. */
  readonly isDynamic: boolean;
}

export interface DecideOptions {
  /** Milliseconds since 1970, for conditions. */
  readonly nowMs: number;
  /** `possible`: what depends on arguments, time or network, or is so for some memories only, is taken as allowed. */
  readonly mode?: 'exact' | 'possible';
}

const ownerDecision: Decision = { isAllowed: true, rule: 'owner', isDynamic: false };
const nothingAllows: Decision = { isAllowed: false, isDynamic: false };

export function decide(
  policy: CompiledPolicy,
  principal: Principal,
  query: PolicyQuery,
  { nowMs, mode = 'exact' }: DecideOptions,
): Decision {
  if (isFullOwner(principal)) return ownerDecision;
  const isPossible = mode === 'possible';
  const held = principal.narrowing && heldBack(principal.narrowing, query, isPossible ? 'touches' : 'covers');
  if (held !== undefined) return { isAllowed: false, rule: held, isDynamic: false };
  const rules = policy.roles.get(principal.role)?.rules.get(query.action);
  if (!rules) return nothingAllows;
  let isDynamic = false;
  let problem: string | undefined;
  let values: ConditionValues | undefined;

  /** `ifFailing`: what a condition counts as that cannot be decided on: it denies, and does not allow. */
  const holds = (
    { id, condition, isDynamic: dynamic }: CompiledRule,
    ifFailing: boolean,
    ifPossible: boolean,
  ) => {
    if (!condition) return true;
    isDynamic ||= dynamic;
    if (dynamic && isPossible) return ifPossible;
    try {
      return condition.holds((values ??= valuesOf(principal, query, nowMs)));
    } catch (error) {
      problem = `${id}: ${messageOf(error)}`;
      return ifFailing;
    }
  };

  // Where it is enough that some memories are left, only a rule about all of them denies.
  const deniedBy = rules.deny.find(
    (one) => isAbout(one.rule, query, isPossible ? 'covers' : 'touches') && holds(one, true, false),
  );
  if (deniedBy) return { isAllowed: false, rule: deniedBy.id, problem, isDynamic };
  const allowedBy = rules.allow.find(
    (one) => isAbout(one.rule, query, isPossible ? 'touches' : 'covers') && holds(one, false, true),
  );
  if (allowedBy) return { isAllowed: true, rule: allowedBy.id, isDynamic };
  return { isAllowed: false, problem, isDynamic };
}

/** True when a role has anything that allows one of the actions. */
export function allowsAny(policy: CompiledPolicy, role: string, actions: readonly Action[]): boolean {
  const rules = policy.roles.get(role)?.rules;
  return rules !== undefined && actions.some((action) => rules.has(action));
}

const noArguments = {};

function valuesOf(principal: Principal, query: PolicyQuery, nowMs: number): ConditionValues {
  const { server, tool } = query;
  const hints = tool?.definition?.['annotations'];
  const annotations = isJsonObject(hints) ? hints : {};
  const now = new Date(nowMs);
  return {
    principal: {
      id: principal.id,
      role: principal.role,
      tenant: principal.tenant,
      groups: principal.groups ?? [],
      claims: principal.claims ?? {},
    },
    tool: {
      name: tool?.name ?? '',
      server: server?.id ?? '',
      category: server?.category ?? '',
      // What a tool does not say is taken at its worst, as the protocol has it (2025-06-18, ToolAnnotations).
      readOnly: annotations['readOnlyHint'] === true,
      destructive: annotations['readOnlyHint'] !== true && annotations['destructiveHint'] !== false,
      idempotent: annotations['idempotentHint'] === true,
      openWorld: annotations['openWorldHint'] !== false,
    },
    arguments: query.arguments ?? noArguments,
    // Whole numbers of CEL are 64 bits.
    time: {
      hour: BigInt(now.getUTCHours()),
      minute: BigInt(now.getUTCMinutes()),
      weekday: BigInt(now.getUTCDay()),
      date: now.toISOString().slice(0, 10),
    },
    network: { remoteAddress: query.remoteAddress ?? '' },
    device: {},
  };
}
