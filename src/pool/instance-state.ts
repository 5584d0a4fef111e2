/** The one state of an instance that its replicas add up to, and why. */

import type { Clock } from '../kernel/clock.ts';
import type { instanceStates } from '../contract/rest/server-routes.ts';
import type { PoolMember } from './member.ts';

export type InstanceState = (typeof instanceStates)[number];

/** What a person is told: the state, and the reason where it is not `ready`. */
export interface Standing {
  readonly state: InstanceState;
  readonly reason: string | undefined;
}

/** The state of one replica. */
export function stateOfMember(member: PoolMember): InstanceState {
  if (member.isDraining) return 'draining';
  const { state } = member.replica;
  if (state === 'waiting') return 'unhealthy';
  if (state === 'stopped') return 'starting';
  if (state !== 'ready') return state;
  if (member.breaker === 'half-open') return 'degraded';
  if (member.fitness !== 'fit') return 'unhealthy';
  return member.isSlow ? 'degraded' : 'ready';
}

/**
 * `ready` when all replicas are, `degraded` when some can work, `unhealthy` when none can. Those beyond the `least` number
 * that start for the first time are not missed yet.
 */
export function standingOf(members: readonly PoolMember[], isFailingOpen: boolean, least: number): Standing {
  const isMissed = ({ replica, lastAnswerAtMs }: PoolMember, index: number) =>
    index < least || replica.state !== 'starting' || lastAnswerAtMs !== undefined;
  const states = members.filter(isMissed).map(stateOfMember);
  const has = (state: InstanceState) => states.includes(state);
  const reason = members.find((member) => member.reason !== undefined)?.reason;
  // Beside one that works, a sleeping one is as good as ready: it wakes when it is wanted.
  if (has('ready') && states.every((state) => state === 'ready' || state === 'sleeping'))
    return { state: 'ready', reason: undefined };
  if (has('draining')) return { state: 'draining', reason };
  if (has('ready') || has('degraded')) return { state: 'degraded', reason: countReason(states, reason) };
  if (has('starting')) return { state: 'starting', reason };
  if (has('unhealthy')) {
    const open = isFailingOpen ? '; it gets calls all the same, for want of a healthy replica' : '';
    return { state: 'unhealthy', reason: reason === undefined ? undefined : reason + open };
  }
  return { state: 'sleeping', reason };
}

function countReason(states: readonly InstanceState[], reason: string | undefined): string | undefined {
  const ready = states.filter((state) => state === 'ready').length;
  if (states.length === 1) return reason;
  return `${ready} of ${states.length} replicas are ready${reason === undefined ? '' : `: ${reason}`}`;
}

export interface ShownStanding {
  readonly current: Standing;
  /** Since when it is in its state, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Looks again, and tells if it is another one. */
  update(): void;
}

/** The standing of an instance as others last heard of it. */
export function createShownStanding(
  clock: Clock,
  standing: () => Standing,
  onChange: () => void,
): ShownStanding {
  let current = standing();
  let sinceMs = clock.now();
  return {
    get current() {
      return current;
    },
    get sinceMs() {
      return sinceMs;
    },
    update() {
      const next = standing();
      if (next.state === current.state && next.reason === current.reason) return;
      if (next.state !== current.state) sinceMs = clock.now();
      current = next;
      onChange();
    },
  };
}
