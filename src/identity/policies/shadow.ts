/** A policy on trial: it is asked about everything, decides nothing, and what it would change is counted. */

import type { Action } from '../../kernel/actions.ts';
import type { PolicyQuery } from '../../kernel/authorizer.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { type Decision, type DecideOptions, decide } from './decide.ts';

/** Requests of one kind that would be decided otherwise. */
export interface Difference {
  readonly role: string;
  readonly action: Action;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  /** By the policy in force, and by the one on trial. */
  readonly decided: 'allow' | 'deny';
  readonly tried: 'allow' | 'deny';
  /** What would decide. */
  readonly rule?: string | undefined;
  readonly count: number;
}

export interface ShadowReport {
  readonly version: string;
  /** Decisions that were compared. */
  readonly compared: number;
  readonly different: number;
  readonly differences: readonly Difference[];
}

export interface Shadow {
  use(policy: CompiledPolicy | undefined): void;
  readonly report: ShadowReport | undefined;
  compare(principal: Principal, query: PolicyQuery, decided: Decision, options: DecideOptions): void;
}

/** Kinds of differences that are told apart; the others are only counted. */
const maxKinds = 100;

const wordOf = ({ isAllowed }: Decision): 'allow' | 'deny' => (isAllowed ? 'allow' : 'deny');

export function createShadow(logger: Logger): Shadow {
  let policy: CompiledPolicy | undefined;
  let compared = 0;
  let different = 0;
  let kinds = new Map<string, Difference>();

  return {
    use(next) {
      policy = next;
      compared = 0;
      different = 0;
      kinds = new Map();
    },
    get report() {
      return policy && { version: policy.version, compared, different, differences: [...kinds.values()] };
    },
    compare(principal, query, decided, options) {
      if (!policy) return;
      compared += 1;
      const tried = decide(policy, principal, query, options);
      if (tried.isAllowed === decided.isAllowed) return;
      different += 1;
      const { role } = principal;
      const { action } = query;
      const about = { role, action, server: query.server?.id, tool: query.tool?.name };
      const kind = JSON.stringify(about) + wordOf(tried);
      const known = kinds.get(kind);
      if (!known && kinds.size >= maxKinds) return;
      const difference: Omit<Difference, 'count'> = {
        ...about,
        decided: wordOf(decided),
        tried: wordOf(tried),
        rule: tried.rule ?? tried.problem,
      };
      if (!known) logger.info(difference, 'the policy on trial would decide otherwise');
      kinds.set(kind, { ...difference, count: (known?.count ?? 0) + 1 });
    },
  };
}
