/** /api/v1/policy: show, set, test, explain, try, and go back. */

import type { policyRoutes as routes } from '../../contract/rest/policy-routes.ts';
import {
  askPolicy,
  type PrincipalOfKey,
  runPolicyTests,
  testsOf,
} from '../../identity/policies/ask-policy.ts';
import { builtInRoles } from '../../identity/policies/built-in-roles.ts';
import { compilePolicy } from '../../identity/policies/compile-policy.ts';
import type { PolicyEngine } from '../../identity/policies/policy-engine.ts';
import type { PolicyKeeper, PolicyState } from '../../identity/policies/policy-keeper.ts';
import type { ShadowReport } from '../../identity/policies/shadow.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { RouteHandlers } from '../serve-routes.ts';

export interface PolicyDependencies {
  readonly engine: PolicyEngine;
  readonly keeper: PolicyKeeper;
  readonly principalOfKey: PrincipalOfKey;
  readonly clock: Clock;
  readonly nextRequestId: () => string;
}

export function policyRoutes({
  engine,
  keeper,
  principalOfKey,
  clock,
  nextRequestId,
}: PolicyDependencies): Pick<RouteHandlers, keyof typeof routes> {
  const callerOf = ({ id }: Principal) => ({ actor: id, agent: 'rest', requestId: nextRequestId() });
  return {
    async policyShow() {
      const { version, policy, problem } = keeper.state;
      const shadow = engine.tried && reportOf(engine.tried);
      return {
        version,
        builtIn: { ...builtInRoles },
        ...(policy && { policy }),
        ...(problem !== undefined && { problem }),
        ...(shadow && { shadow }),
      };
    },
    policySet: async ({ body, principal }) =>
      setAnswer(await keeper.set(body.policy, callerOf(principal), body.ifMatch)),
    async policyTest({ body }) {
      const policy = body.policy ? compilePolicy(body.policy, 'tested') : engine.current;
      const tests = body.tests ?? testsOf(body.policy ?? keeper.state.policy);
      return await runPolicyTests({ policy, principalOfKey, clock }, tests);
    },
    policyWhy: ({ body }) => askPolicy({ policy: engine.current, principalOfKey, clock }, body),
    policyHistory: async ({ principal }) => ({ versions: await keeper.history(callerOf(principal)) }),
    policyRevert: async ({ body, principal }) => setAnswer(await keeper.revert(body.to, callerOf(principal))),
    policyTry: async ({ body, principal }) => reportOf(await keeper.tryOut(body.policy, callerOf(principal))),
    policyTryEnd: async ({ principal }) => reportOf(await keeper.endTrial(callerOf(principal))),
  };
}

function setAnswer({ version, policy }: PolicyState) {
  return { version, roles: Object.keys(policy?.roles ?? {}), tests: testsOf(policy).length };
}

function reportOf({ differences, ...rest }: ShadowReport) {
  return { ...rest, differences: differences.map((one) => ({ ...one })) };
}
