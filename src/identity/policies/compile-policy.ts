/** Makes a policy ready to decide by: includes resolved, conditions compiled, rules sorted by action. */

import type { Policy, PolicyRole, PolicyRule } from '../../contract/policy-shape.ts';
import { type Action, actionTable, expandAction } from '../../kernel/actions.ts';
import { type Condition, compileCondition } from '../../kernel/conditions.ts';
import { AppError } from '../../kernel/errors.ts';
import { builtInRoles } from './built-in-roles.ts';

export interface CompiledRule {
  /** Where it stands, such as `developer.deny[0]`. */
  readonly id: string;
  readonly rule: PolicyRule;
  readonly condition?: Condition | undefined;
  /** It depends on more than who calls which tool. */
  readonly isDynamic: boolean;
}

/** Both lists with the rules first that depend on caller and tool alone. */
export interface ActionRules {
  readonly deny: readonly CompiledRule[];
  readonly allow: readonly CompiledRule[];
}

export interface CompiledRole {
  readonly name: string;
  readonly rules: ReadonlyMap<Action, ActionRules>;
  /** Callers of the role may differ: a condition asks who they are. */
  readonly asksWho: boolean;
}

export interface CompiledPolicy {
  /** Another text for another policy. */
  readonly version: string;
  readonly roles: ReadonlyMap<string, CompiledRole>;
}

/** What a condition may speak of. */
export const conditionNames = ['principal', 'tool', 'arguments', 'time', 'network', 'device'] as const;
const dynamicNames = ['arguments', 'time', 'network', 'device'];

/** Throws INVALID_INPUT with the field of what is wrong. */
export function compilePolicy({ roles }: Policy, version: string): CompiledPolicy {
  const all: Readonly<Record<string, PolicyRole>> = { ...builtInRoles, ...roles };
  const own = new Map<string, Record<'allow' | 'deny', Placed[]>>();
  for (const [name, role] of Object.entries(all))
    own.set(name, { allow: compileRules(name, 'allow', role), deny: compileRules(name, 'deny', role) });
  const compiled = new Map<string, CompiledRole>();
  for (const name of Object.keys(all)) {
    const names = included(name, all);
    const collect = (effect: 'allow' | 'deny') => names.flatMap((one) => own.get(one)?.[effect] ?? []);
    compiled.set(name, roleOf(name, collect('allow'), collect('deny')));
  }
  return { version, roles: compiled };
}

interface Placed extends CompiledRule {
  readonly actions: ReadonlySet<Action>;
}

/** The role and all that it includes, each once. */
function included(name: string, all: Readonly<Record<string, PolicyRole>>): string[] {
  const names: string[] = [];
  const visit = (one: string, from: string, path: readonly string[]): void => {
    const field = `roles.${from}.includes`;
    if (!Object.hasOwn(all, one)) {
      const problem = `names ${one}, which is no role; known are ${Object.keys(all).join(', ')}`;
      throw new AppError('INVALID_INPUT', { field, problem });
    }
    if (path.includes(one)) {
      const problem = `comes back to itself: ${[...path, one].join(' → ')}; take one out`;
      throw new AppError('INVALID_INPUT', { field, problem });
    }
    if (one === 'owner' && path.length > 0)
      throw new AppError('INVALID_INPUT', { field, problem: 'cannot have owner; list what is allowed' });
    if (names.includes(one)) return;
    names.push(one);
    for (const next of all[one]?.includes ?? []) visit(next, one, [...path, one]);
  };
  visit(name, name, []);
  return names;
}

function compileRules(role: string, effect: 'allow' | 'deny', { allow, deny }: PolicyRole): Placed[] {
  const rules = (effect === 'allow' ? allow : deny) ?? [];
  return rules.map((rule, at) => {
    const field = `roles.${role}.${effect}.${at}`;
    const expanded = actionsOf(rule, field);
    const condition =
      rule.when === undefined ? undefined : compileCondition(rule.when, conditionNames, `${field}.when`);
    const isDynamic = dynamicNames.some((name) => condition?.names.has(name));
    const nfc = rule.prefixes?.map((prefix) => prefix.normalize('NFC'));
    const normal = nfc ? { ...rule, prefixes: nfc } : rule;
    return { id: `${role}.${effect}[${at}]`, rule: normal, condition, isDynamic, actions: expanded };
  });
}

const detailFields = [
  ['tools', ['tool']],
  ['servers', ['tool', 'server']],
  ['categories', ['tool', 'server']],
  ['scopes', ['place']],
  ['prefixes', ['place']],
] as const;

/** With details a `*` stands for the actions that they speak of; one that is named must be among these. */
function actionsOf(rule: PolicyRule, field: string): ReadonlySet<Action> {
  const given = detailFields.filter(([detail]) => rule[detail] !== undefined);
  const oddFor = (action: Action) =>
    given.find(([, kinds]) => !(kinds as readonly string[]).includes(actionTable[action].by));
  const expanded = new Set<Action>();
  for (const pattern of rule.actions) {
    const fitting = expandAction(pattern).filter((action) => oddFor(action) === undefined);
    for (const action of fitting) expanded.add(action);
    if (fitting.length > 0) continue;
    const [action] = expandAction(pattern);
    const odd = action && oddFor(action);
    const problem = `says nothing about ${pattern}; put that action into a rule of its own`;
    throw new AppError('INVALID_INPUT', { field: `${field}.${odd?.[0] ?? 'actions'}`, problem });
  }
  return expanded;
}

function roleOf(name: string, allow: readonly Placed[], deny: readonly Placed[]): CompiledRole {
  const rules = new Map<Action, ActionRules>();
  const forAction = (placed: readonly Placed[], action: Action) =>
    placed
      .filter(({ actions }) => actions.has(action))
      .toSorted((a, b) => Number(a.isDynamic) - Number(b.isDynamic));
  for (const action of Object.keys(actionTable) as Action[]) {
    const both = { allow: forAction(allow, action), deny: forAction(deny, action) };
    if (both.allow.length > 0) rules.set(action, both);
  }
  const asksWho = [...allow, ...deny].some(({ condition }) => condition?.names.has('principal'));
  return { name, rules, asksWho };
}
