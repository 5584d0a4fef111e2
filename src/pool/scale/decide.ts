/**
 * How many replicas are wanted: a pure function of what was seen, the settings and what was decided before. More come as
 * soon as the load asks for them; fewer only after they would have done for a whole cool-down.
 */

import type { ScaleOptions } from '../../kernel/pool-options.ts';

/** What was seen since the last look. */
export interface Observation {
  /** Replicas that there are, those that start included. */
  readonly replicas: number;
  /** Some of them are starting: the time that calls take says nothing about them yet. */
  readonly isStarting: boolean;
  /** Calls under way, on average. */
  readonly underWay: number;
  /** Calls that waited for a place, on average. */
  readonly waiting: number;
  /** Calls that got no place. */
  readonly refused: number;
  /** Average time of a call, milliseconds; 0 while nothing is known. */
  readonly latencyMs: number;
}

export interface ScaleState {
  /** When the number last changed, milliseconds; undefined before the first time. */
  readonly changedAtMs: number | undefined;
  /** Since when fewer would have done; undefined while they would not. */
  readonly lowSinceMs: number | undefined;
  /** The most that would have been needed since then. */
  readonly lowPeak: number;
}

export interface Verdict {
  readonly wanted: number;
  /** What the load would have, were there no bounds and no cool-down. */
  readonly needed: number;
  /** Why, for people. */
  readonly reason: string;
  readonly state: ScaleState;
}

export const freshState: ScaleState = { changedAtMs: undefined, lowSinceMs: undefined, lowPeak: 0 };

/** Load within this share of the target changes nothing. */
const tolerance = 0.1;
/** One look at most doubles the number because calls are slow. */
const steepest = 2;

interface Need {
  readonly replicas: number;
  readonly reason: string;
}

/** The verdict; `wanted` is always within the bounds, and O(1). */
export function decide(seen: Observation, settings: ScaleOptions, state: ScaleState, nowMs: number): Verdict {
  const { min, max } = settings;
  const { replicas } = seen;
  const need = needOf(seen, settings);
  const settle = (wanted: number, reason: string): Verdict => ({
    wanted,
    needed: need.replicas,
    reason,
    state: wanted === replicas ? state : { ...freshState, changedAtMs: nowMs },
  });
  if (replicas < min) return settle(min, `${min} is the least`);
  if (replicas > max) return settle(max, `${max} is the most`);
  const quietMs = state.changedAtMs === undefined ? Infinity : nowMs - state.changedAtMs;
  if (need.replicas >= replicas) {
    const wanted = quietMs < settings.upCoolDownMs ? replicas : Math.min(need.replicas, max);
    if (wanted > replicas) return settle(wanted, need.reason);
    return { ...settle(replicas, need.reason), state: { ...state, lowSinceMs: undefined, lowPeak: 0 } };
  }
  const low = {
    ...state,
    lowSinceMs: state.lowSinceMs ?? nowMs,
    lowPeak: Math.max(state.lowPeak, need.replicas),
  };
  const lowMs = nowMs - low.lowSinceMs;
  const wanted = Math.max(low.lowPeak, min);
  const mayShrink = Math.min(lowMs, quietMs) >= settings.downCoolDownMs;
  if (mayShrink && wanted < replicas)
    return settle(wanted, `for ${seconds(settings.downCoolDownMs)} ${wanted} would have done`);
  return { wanted: replicas, needed: need.replicas, reason: need.reason, state: low };
}

/** The number that the load asks for: that of now where it is near enough. */
function needOf(seen: Observation, { targetConcurrency, targetLatencyMs }: ScaleOptions): Need {
  const { replicas, refused, latencyMs } = seen;
  const load = seen.underWay + seen.waiting;
  const byLoad = neededFor(load, replicas, targetConcurrency);
  const waiting = seen.waiting >= 0.05 ? `, ${round(seen.waiting)} of them waiting` : '';
  const reason = `${round(load)} calls at a time${waiting}; ${round(targetConcurrency)} a replica are aimed for`;
  const needs: Need[] = [{ replicas: byLoad, reason }];
  if (refused > 0) needs.push({ replicas: replicas + 1, reason: `${refused} calls were refused; ${reason}` });
  // Where no two calls share a replica, more of them make none faster.
  if (targetLatencyMs !== undefined && load > replicas && latencyMs > targetLatencyMs * (1 - tolerance)) {
    const isSlow = latencyMs > targetLatencyMs * (1 + tolerance) && !seen.isStarting;
    const factor = Math.min(latencyMs / targetLatencyMs, steepest);
    needs.push({
      replicas: isSlow ? Math.ceil(replicas * factor) : replicas,
      reason: `calls take ${round(latencyMs)} ms on average; ${targetLatencyMs} are aimed for`,
    });
  }
  return needs.reduce((most, next) => (next.replicas > most.replicas ? next : most));
}

function neededFor(load: number, replicas: number, target: number): number {
  const exactly = (aim: number) => Math.max(Math.ceil(load / aim), 1);
  if (exactly(target * (1 + tolerance)) > replicas) return exactly(target);
  // Fewer only where they have room to spare, so that the next look does not bring them back.
  return Math.min(exactly(target * (1 - tolerance)), replicas);
}

const round = (value: number): number => Math.round(value * 10) / 10;
const seconds = (ms: number): string => `${round(ms / 1000)} s`;
