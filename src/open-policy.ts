/** Who may do what, wired. Part of the composition root, like `coordinator.ts`. */

import { builtInServers } from './catalog/built-in-servers.ts';
import type { PrincipalOfKey } from './identity/policies/ask-policy.ts';
import { createAuthorizer, type PolicyAuthorizer } from './identity/policies/authorizer.ts';
import {
  createPolicyEngine,
  type MemoryServerOf,
  type PolicyEngine,
} from './identity/policies/policy-engine.ts';
import { openPolicyKeeper, type PolicyKeeper } from './identity/policies/policy-keeper.ts';
import { createManagedKeys } from './identity/manage-keys.ts';
import { systemClock } from './kernel/clock.ts';
import type { Logger } from './kernel/log.ts';
import { localOwner } from './kernel/principal.ts';
import type { Memory } from './memory/open-memory.ts';
import type { Pool } from './pool/pool.ts';
import type { Store } from './store/open-store.ts';

export interface PolicyParts {
  readonly engine: PolicyEngine;
  readonly keeper: PolicyKeeper;
  readonly authorizer: PolicyAuthorizer;
  readonly principalOfKey: PrincipalOfKey;
  readonly memoryServerOf: MemoryServerOf;
}

export async function openPolicy(
  parts: AsyncDisposableStack,
  base: { readonly memory: Memory; readonly pool: Pool; readonly store: Store; readonly logger: Logger },
): Promise<PolicyParts> {
  const { memory, pool, store, logger } = base;
  const clock = systemClock;
  const memoryServerOf: MemoryServerOf = (id) => {
    const launch = pool.get(id)?.spec.launch;
    if (launch?.kind !== 'in-process' || launch.module !== memoryModule) return undefined;
    const { defaultScope = 'shared' } = launch.settings as { readonly defaultScope?: string };
    return { defaultScope };
  };
  const engine = createPolicyEngine({ clock, logger, memoryServerOf });
  const managed = createManagedKeys(store.apiKeys, localOwner.tenant, clock);
  const principalOfKey: PrincipalOfKey = (id) => managed.principalOf(id);
  const keeper = parts.use(await openPolicyKeeper({ engine, memory, principalOfKey, clock, logger }));
  return { engine, keeper, authorizer: createAuthorizer(engine), principalOfKey, memoryServerOf };
}

const memoryModule = builtInServers.find(({ definition }) => definition.name === 'git-memory-server')?.module;
