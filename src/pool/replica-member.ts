/** Makes the replicas of an instance: each a connection that comes back, and the member that judges it. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import type { RpcNotification } from '../kernel/json-rpc.ts';
import { defaultHealth, defaultSelection } from '../kernel/pool-options.ts';
import type { Connection } from '../transport/connection.ts';
import { restartBackoff } from './backoff.ts';
import type { CheckSchedule } from './health/check-schedule.ts';
import type { InstanceDependencies } from './instance-types.ts';
import type { LogRing } from './log-ring.ts';
import { createMember, type PoolMember } from './member.ts';
import { createReplica } from './replica.ts';

export interface ReplicaMemberOptions {
  readonly spec: InstanceSpec;
  readonly deps: InstanceDependencies;
  readonly checks: CheckSchedule;
  readonly logs: LogRing;
  /** Longest time for one call, milliseconds. */
  readonly timeoutMs: number;
  readonly onBroken: (reason: Error) => void;
  readonly onOpen: (connection: Connection, member: PoolMember) => Promise<void>;
  readonly onNotification: (notification: RpcNotification) => void;
  readonly onChange: () => void;
  /** A call of it began or ended. */
  readonly onLoad: (member: PoolMember, by: 1 | -1) => void;
}

/** The replica with this number; it starts when it is asked for a connection. */
export function createReplicaMember(index: number, options: ReplicaMemberOptions): PoolMember {
  const { spec, deps, logs, onChange } = options;
  const { clock } = deps;
  const replica = createReplica({
    server: spec.id,
    lazy: spec.lazy,
    clock,
    backoff: deps.backoff ?? restartBackoff,
    open: (connectionEvents, signal) =>
      deps.connect(spec, connectionEvents, (line) => logs.push(line), signal),
    onBroken: options.onBroken,
    onRestart: (problem) => deps.onIncident?.({ kind: 'restart', server: spec.id, problem }),
    onOpen: (connection) => options.onOpen(connection, member),
    onNotification: options.onNotification,
    onChange,
  });
  const member: PoolMember = createMember({
    id: `${spec.id}/${index}`,
    replica,
    clock,
    health: spec.health ?? deps.health ?? defaultHealth,
    slowStartMs: (spec.selection ?? defaultSelection).slowStartMs,
    timeoutMs: options.timeoutMs,
    checks: options.checks,
    restartsHung: spec.launch.kind !== 'in-process',
    onChange,
    onOpened: (problem, call) =>
      deps.onIncident?.({ kind: 'breaker-opening', server: spec.id, problem, call }),
    onLoad: (by) => options.onLoad(member, by),
  });
  return member;
}
