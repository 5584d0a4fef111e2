/**
 * The policy where it is kept: a memory of the coordinator, with every version in Git. What is written there by whatever way
 * is in force a moment later, if it is sound; a trial is kept beside it.
 */

import { type Policy, policyShape } from '../../contract/policy-shape.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { MemoryCaller, MemoryClient } from '../../kernel/memory/operations.ts';
import { type PrincipalOfKey, runPolicyTests, testsOf } from './ask-policy.ts';
import { compilePolicy } from './compile-policy.ts';
import { coordinatorScope } from './memory-plans.ts';
import type { PolicyEngine } from './policy-engine.ts';
import type { ShadowReport } from './shadow.ts';

const policyKey = 'policy';
const shadowKey = 'policy-shadow';

/** The memory, as far as the policy needs it. */
export interface PolicyMemory extends MemoryClient {
  onChange(listener: (change: { readonly scope: string; readonly key: string }) => void): () => void;
}

export interface PolicyState {
  readonly version: string;
  readonly policy?: Policy | undefined;
  /** Why what is kept is not in force. */
  readonly problem?: string | undefined;
}

export interface PolicyKeeper extends Disposable {
  readonly state: PolicyState;
  /** Throws INVALID_INPUT for what is not sound or fails its own tests, MEMORY_CHANGED for another version. */
  set(policy: Policy, caller: MemoryCaller, ifMatch?: string): Promise<PolicyState>;
  /** Throws as `set`, and MEMORY_VERSION_NOT_FOUND. */
  revert(to: string, caller: MemoryCaller): Promise<PolicyState>;
  history(caller: MemoryCaller): Promise<{ commit: string | null; at: string; actor: string; op: string }[]>;
  tryOut(policy: Policy, caller: MemoryCaller): Promise<ShadowReport>;
  /** How it went. Throws NOT_FOUND. */
  endTrial(caller: MemoryCaller): Promise<ShadowReport>;
}

const self: MemoryCaller = { actor: 'coordinator', agent: 'coordinator' };

/** Reads what is kept. A policy that is not sound leaves the owner alone with all rights. */
export async function openPolicyKeeper(parts: {
  readonly engine: PolicyEngine;
  readonly memory: PolicyMemory;
  readonly principalOfKey: PrincipalOfKey;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<PolicyKeeper> {
  const { engine, memory, principalOfKey, clock, logger } = parts;
  let state: PolicyState = { version: engine.current.version };
  let trialVersion: string | undefined;
  let reading: Promise<void> = Promise.resolve();

  async function read(key: string) {
    try {
      return await memory.call('retrieve', { scope: coordinatorScope, key }, self);
    } catch (error) {
      if (isAppError(error, 'MEMORY_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async function follow(isFirst: boolean): Promise<void> {
    const kept = await read(policyKey);
    if ((kept?.etag ?? 'built-in') === state.version && !isFirst) return;
    try {
      const policy = kept && parsePolicy(kept.value);
      engine.use(policy ?? { roles: {} }, kept?.etag ?? 'built-in');
      state = { version: engine.current.version, policy };
    } catch (error) {
      const problem = messageOf(error);
      logger.error(
        { problem },
        isFirst
          ? 'the policy is not sound: only the owner gets in'
          : 'the policy that came is not sound: the former one goes on',
      );
      if (isFirst) engine.useNothing('invalid');
      state = { ...state, version: engine.current.version, problem };
    }
  }

  async function followTrial(): Promise<void> {
    const kept = await read(shadowKey);
    if (kept?.etag === trialVersion) return;
    trialVersion = kept?.etag;
    try {
      engine.tryOut(kept && parsePolicy(kept.value), kept?.etag ?? '');
    } catch (error) {
      engine.tryOut(undefined, '');
      logger.warn({ problem: messageOf(error) }, 'the policy on trial is not sound');
    }
  }

  /** One after the other, so that the newest is in force in the end. */
  function readAgain(isFirst = false): Promise<void> {
    const before = reading.catch(() => {});
    reading = (async () => {
      await before;
      await follow(isFirst);
      await followTrial();
    })();
    return reading;
  }

  async function assertSound(policy: Policy): Promise<void> {
    const compiled = compilePolicy(policy, 'new');
    const report = await runPolicyTests({ policy: compiled, principalOfKey, clock }, testsOf(policy));
    const failed = report.results.find(({ isMet }) => !isMet);
    if (!failed) return;
    const { name, expect, decision, rule } = failed;
    const problem = `${name} should be ${expect} and is ${decision} by ${rule ?? 'no rule'}; mend the policy or the test`;
    throw new AppError('INVALID_INPUT', { field: `tests.${report.results.indexOf(failed)}`, problem });
  }

  async function set(policy: Policy, caller: MemoryCaller, ifMatch?: string): Promise<PolicyState> {
    await assertSound(policy);
    const match = ifMatch === 'built-in' ? 'absent' : ifMatch;
    const entry = { scope: coordinatorScope, key: policyKey, value: policy };
    await memory.call('store', { ...entry, ...(match !== undefined && { ifMatch: match }) }, caller);
    await readAgain();
    return state;
  }

  const off = memory.onChange(({ scope, key }) => {
    if (scope !== coordinatorScope || (key !== policyKey && key !== shadowKey)) return;
    readAgain().catch((error: unknown) =>
      logger.error({ problem: messageOf(error) }, 'the policy could not be read: the former one goes on'),
    );
  });
  await readAgain(true);

  return {
    get state() {
      return state;
    },
    set,
    async revert(to, caller) {
      const place = { scope: coordinatorScope, key: policyKey };
      const { value } = await memory.call('retrieve', { ...place, at: to }, caller);
      return await set(parsePolicy(value), caller);
    },
    async history(caller) {
      const place = { scope: coordinatorScope, key: policyKey, limit: 100 };
      try {
        const { versions } = await memory.call('history', place, caller);
        return versions.map(({ commit, at, actor, op }) => ({ commit, at, actor, op }));
      } catch (error) {
        if (isAppError(error, 'MEMORY_NOT_FOUND')) return [];
        throw error;
      }
    },
    async tryOut(policy, caller) {
      compilePolicy(policy, 'new');
      await memory.call('store', { scope: coordinatorScope, key: shadowKey, value: policy }, caller);
      await readAgain();
      return reportOf(engine);
    },
    async endTrial(caller) {
      const report = reportOf(engine);
      await memory.call('delete', { scope: coordinatorScope, key: shadowKey }, caller);
      await readAgain();
      return report;
    },
    [Symbol.dispose]: off,
  };
}

function reportOf({ tried }: PolicyEngine): ShadowReport {
  if (!tried) throw new AppError('NOT_FOUND', { what: 'policy on trial', id: shadowKey });
  return tried;
}

/** Throws INVALID_INPUT with the field. */
function parsePolicy(value: unknown): Policy {
  const parsed = policyShape.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new AppError('INVALID_INPUT', {
    field: field === '' ? 'policy' : field,
    problem: issue?.message ?? 'is invalid',
  });
}
