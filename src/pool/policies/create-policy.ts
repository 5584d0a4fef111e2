/** The policies by the names they have in the config: those built in, and those of plugins. */

import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { type BuiltInPolicy, policyNames, type PolicyName } from '../../kernel/pool-options.ts';
import type { Member, PolicyMaker, SelectionPolicy } from '../../kernel/selection-policy.ts';
import { createConsistentHash } from './consistent-hash.ts';
import { guardPolicy } from './guard-policy.ts';
import { createLeastRequests } from './least-requests.ts';
import { createPowerOfTwo } from './power-of-two.ts';
import { createRoundRobin } from './round-robin.ts';

const policies: Readonly<Record<BuiltInPolicy, <M extends Member>() => SelectionPolicy<M>>> = {
  'round-robin': createRoundRobin,
  'least-requests': createLeastRequests,
  'power-of-two': () => createPowerOfTwo(),
  'consistent-hash': createConsistentHash,
};

/** Policies of plugins by `<plugin>/<policy>`, and where their failures are told. */
export interface PluginPolicies {
  readonly makers: ReadonlyMap<string, PolicyMaker>;
  readonly logger: Logger;
}

const isBuiltIn = (name: PolicyName): name is BuiltInPolicy => Object.hasOwn(policies, name);

/** Throws INVALID_INPUT for a name that neither we nor a plugin has. */
export function createPolicy<M extends Member>(
  name: PolicyName,
  plugins?: PluginPolicies,
): SelectionPolicy<M> {
  if (isBuiltIn(name)) return policies[name]<M>();
  const make = plugins?.makers.get(name);
  if (plugins && make) return guardPolicy<M>(name, make, plugins.logger);
  const known = [...policyNames, ...(plugins?.makers.keys() ?? [])].join(', ');
  throw new AppError('INVALID_INPUT', {
    field: 'selection.policy',
    problem: `"${name}" is not one of ${known}; is its plugin in \`plugins\`?`,
  });
}
