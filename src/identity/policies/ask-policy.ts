/** Answers of a policy to people: why, and whether examples hold. */

import type { z } from 'zod';
import type { Policy, PolicyTest, questionFields, subjectFields } from '../../contract/policy-shape.ts';
import type { PolicyQuery } from '../../kernel/authorizer.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/principal.ts';
import { builtInRoles } from './built-in-roles.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { type Decision, decide } from './decide.ts';

export type Question = z.infer<z.ZodObject<typeof subjectFields & typeof questionFields>>;

export interface Answer {
  readonly decision: 'allow' | 'deny';
  readonly rule?: string;
  readonly problem?: string;
  /** The rule as it is written. */
  readonly text?: string;
  readonly role: string;
}

export interface TestResult extends Answer {
  readonly name: string;
  readonly expect: 'allow' | 'deny';
  readonly isMet: boolean;
}

/** Whoever has a key. Throws NOT_FOUND. */
export type PrincipalOfKey = (id: string) => Promise<Principal>;

/** Throws NOT_FOUND for a key or a role that there is not. */
export async function askPolicy(
  parts: { readonly policy: CompiledPolicy; readonly principalOfKey: PrincipalOfKey; readonly clock: Clock },
  question: Question,
): Promise<Answer> {
  const { principal: id, role, groups, claims, narrowing, at } = question;
  const own = { ...(groups && { groups }), ...(claims && { claims }), ...(narrowing && { narrowing }) };
  const base: Principal =
    id === undefined
      ? { id: 'somebody', tenant: 'default', role: role ?? '' }
      : await parts.principalOfKey(id.replace(/^key:/, ''));
  if (id === undefined && !parts.policy.roles.has(base.role))
    throw new AppError('NOT_FOUND', { what: 'role', id: base.role });
  const principal = { ...base, ...own };
  const nowMs = at === undefined ? parts.clock.now() : Date.parse(at);
  const decision = decide(parts.policy, principal, queryOf(question), { nowMs });
  return answerOf(parts.policy, principal.role, decision);
}

function queryOf(question: Question): PolicyQuery {
  const { action, server, category = '', tool, annotations, scope, key, prefix, remoteAddress } = question;
  const isPlaced = scope !== undefined || key !== undefined || prefix !== undefined;
  const isMemory = action.startsWith('memory:');
  return {
    action,
    arguments: question.arguments,
    remoteAddress,
    ...(server !== undefined && { server: { id: server, category } }),
    ...(tool !== undefined && { tool: { name: tool, ...(annotations && { definition: { annotations } }) } }),
    ...((isPlaced || isMemory) && {
      place: { scope, prefix: (key ?? prefix ?? '').normalize('NFC'), isExact: key !== undefined },
    }),
  };
}

function answerOf(policy: CompiledPolicy, role: string, { isAllowed, rule, problem }: Decision): Answer {
  const written = rule === undefined ? undefined : findRule(policy, role, rule);
  return {
    decision: isAllowed ? 'allow' : 'deny',
    ...(rule !== undefined && { rule }),
    ...(problem !== undefined && { problem }),
    ...(written !== undefined && { text: JSON.stringify(written) }),
    role,
  };
}

function findRule(policy: CompiledPolicy, role: string, id: string): unknown {
  if (role === 'owner') return builtInRoles['owner']?.allow?.[0];
  for (const { allow, deny } of policy.roles.get(role)?.rules.values() ?? [])
    for (const one of [...deny, ...allow]) if (one.id === id) return one.rule;
  return undefined;
}

/** Throws NOT_FOUND for a key that there is not. */
export async function runPolicyTests(
  parts: Parameters<typeof askPolicy>[0],
  tests: readonly PolicyTest[],
): Promise<{ passed: number; failed: number; results: TestResult[] }> {
  const results: TestResult[] = [];
  for (const [at, { name, expect, ...question }] of tests.entries()) {
    const answer = await askPolicy(parts, question);
    results.push({
      ...answer,
      name: name ?? nameOf(question, at),
      expect,
      isMet: answer.decision === expect,
    });
  }
  const passed = results.filter(({ isMet }) => isMet).length;
  return { passed, failed: results.length - passed, results };
}

function nameOf({ principal, role, action, tool, scope }: Question, at: number): string {
  const on = [tool, scope].filter((one) => one !== undefined).join(' ');
  return `${at + 1}: ${principal ?? role ?? ''} ${action}${on === '' ? '' : ` ${on}`}`;
}

/** The policy's own examples. */
export function testsOf(policy: Policy | undefined): readonly PolicyTest[] {
  return policy?.tests ?? [];
}
