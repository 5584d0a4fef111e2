/** The one state of an instance that its replicas add up to. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import type { instanceStates } from '../contract/rest/server-routes.ts';
import type { Replica } from './replica.ts';

export type InstanceState = (typeof instanceStates)[number];

/** `ready` when all replicas are, `degraded` when some are. */
export function stateOf(
  spec: InstanceSpec,
  replicas: readonly Replica[],
  stoppedByHand: boolean,
): InstanceState {
  if (stoppedByHand) return 'stopped';
  const count = (state: Replica['state']) => replicas.filter((replica) => replica.state === state).length;
  const ready = count('ready');
  if (ready === replicas.length && ready > 0) return 'ready';
  if (ready > 0) return 'degraded';
  if (count('starting') > 0) return 'starting';
  if (count('waiting') > 0) return 'unhealthy';
  return spec.lazy ? 'sleeping' : 'starting';
}
