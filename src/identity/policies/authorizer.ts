/** The policy as the edges ask it. */

import { type Action, actionTable } from '../../kernel/actions.ts';
import type { Authorizer, PolicyQuery } from '../../kernel/authorizer.ts';
import type { MemoryCaller, MemoryClient, MemoryOperation } from '../../kernel/memory/operations.ts';
import { isFullOwner, type Principal } from '../../kernel/principal.ts';
import type { Decision } from './decide.ts';
import { admitMemoryCall, type MemoryAccessParts } from './memory-access.ts';
import { coordinatorScope } from './memory-plans.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { refusalOf } from './refusal.ts';
import { createCursorSeal } from './seal-cursor.ts';

const everything = { prefix: '', isExact: false } as const;

export interface PolicyAuthorizer extends Authorizer {
  /** Throws FORBIDDEN in words for the caller. */
  refuse(principal: Principal, query: PolicyQuery, decision: Decision): never;
  /** What admits calls of the memory; `about` is what else the request is. */
  memoryParts(principal: Principal, about?: Omit<PolicyQuery, 'action' | 'place'>): MemoryAccessParts;
}

export function createAuthorizer(engine: PolicyEngine): PolicyAuthorizer {
  const seal = createCursorSeal();

  function refuse(principal: Principal, query: PolicyQuery, decision: Decision): never {
    const maySeePolicy = engine.decide(principal, { action: 'policy:read' }, 'possible').isAllowed;
    throw refusalOf(principal, query, decision, maySeePolicy);
  }

  function memoryParts(
    principal: Principal,
    about: Omit<PolicyQuery, 'action' | 'place'> = {},
  ): MemoryAccessParts {
    return {
      decide: (query, mode) => engine.decide(principal, { ...about, ...query }, mode),
      refuse: (action, decision, place) => refuse(principal, { action, place }, decision),
      seal,
      caller: JSON.stringify([principal.tenant, principal.id]),
    };
  }

  function guardedMemory(principal: Principal, memory: MemoryClient, remoteAddress?: string): MemoryClient {
    const parts = memoryParts(principal, { remoteAddress });
    return {
      async call<Op extends MemoryOperation>(operation: Op, input: never, caller: MemoryCaller) {
        const admitted = admitMemoryCall(parts, operation, input);
        const output = await memory.call(operation, admitted.input, caller);
        return admitted.cut ? admitted.cut(output) : output;
      },
    };
  }

  return {
    refuse,
    memoryParts,
    assertMay(principal, query) {
      const decision = engine.decide(principal, query);
      if (!decision.isAllowed) refuse(principal, query, decision);
    },
    assertMayAnywhere(principal, actions) {
      if (isFullOwner(principal)) return;
      const isOpen = (action: Action) => {
        const place = actionTable[action].by === 'place' ? everything : undefined;
        // Which server and tool it will be is not known yet.
        if (place === undefined && actionTable[action].by !== 'nothing')
          return engine.mayAny(principal, [action]);
        return engine.decide(principal, { action, place }, 'possible').isAllowed;
      };
      if (actions.some(isOpen)) return;
      const [action = 'tools:call'] = actions;
      refuse(principal, { action }, { isAllowed: false, isDynamic: false });
    },
    shownTo(principal) {
      if (isFullOwner(principal)) return undefined;
      const audience = engine.audienceOf(principal);
      return { audience, shows: (item) => engine.shows(principal, item) };
    },
    memoryFor: (principal, memory, remoteAddress) =>
      isFullOwner(principal) ? memory : guardedMemory(principal, memory, remoteAddress),
    mayClone: (principal) => engine.decide(principal, { action: 'memory:read', place: everything }).isAllowed,
    pushCheck(principal) {
      const changes = ['memory:write', 'memory:delete'] as const;
      const may = (place: PolicyQuery['place'], mode?: 'possible') =>
        changes.every((action) => engine.decide(principal, { action, place }, mode).isAllowed);
      if (may(everything)) return undefined;
      if (!may(everything, 'possible')) {
        const query = { action: 'memory:write', place: everything } as const;
        refuse(principal, query, engine.decide(principal, query));
      }
      return (scope, key) =>
        scope !== coordinatorScope && may({ scope, prefix: key.normalize('NFC'), isExact: true });
    },
  };
}
