/** The policies by the names they have in the config. */

import type { PolicyName } from '../../kernel/pool-options.ts';
import { createConsistentHash } from './consistent-hash.ts';
import { createLeastRequests } from './least-requests.ts';
import type { Member, SelectionPolicy } from './policy.ts';
import { createPowerOfTwo } from './power-of-two.ts';
import { createRoundRobin } from './round-robin.ts';

const policies: Readonly<Record<PolicyName, <M extends Member>() => SelectionPolicy<M>>> = {
  'round-robin': createRoundRobin,
  'least-requests': createLeastRequests,
  'power-of-two': () => createPowerOfTwo(),
  'consistent-hash': createConsistentHash,
};

export function createPolicy<M extends Member>(name: PolicyName): SelectionPolicy<M> {
  return policies[name]<M>();
}
