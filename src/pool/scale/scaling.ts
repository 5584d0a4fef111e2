/** The number of replicas of one instance: what it is, what decided it, and who may change it. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import {
  defaultScale,
  mostReplicas,
  type ScaleBounds,
  type ScaleOptions,
} from '../../kernel/pool-options.ts';
import { decide, freshState, type Observation } from './decide.ts';
import { createLoadMeter } from './load-meter.ts';
import type { Scaler, ScaleTarget } from './scaler.ts';

/** A change of the number of replicas, or a wish for one that the bounds do not allow. */
export interface ScaleDecision {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export interface Scaling {
  readonly bounds: ScaleBounds;
  /** The bounds are not those of the config. */
  readonly isByHand: boolean;
  /** The last ones, oldest first. */
  readonly decisions: readonly ScaleDecision[];
  /** New bounds, at once; without any, those of the config. Throws INVALID_INPUT. */
  setBounds(bounds?: ScaleBounds): void;
  /** Calls under way and waiting, at each change. */
  loadChanged(underWay: number, waiting: number): void;
  /** All replicas have gone to sleep: the least will do when they wake. */
  slept(): void;
  /** No more decisions. */
  close(): void;
}

export interface ScalingOptions {
  readonly server: string;
  /** As configured; undefined for a fixed number. */
  readonly settings: ScaleOptions | undefined;
  /** The fixed number. */
  readonly replicas: number;
  /** Bounds given by hand before. */
  readonly byHand: ScaleBounds | undefined;
  readonly clock: Clock;
  readonly scaler: Scaler;
  /** Replicas now, whether some are starting, and the average time of their calls in milliseconds. */
  readonly replicasNow: () => Pick<Observation, 'replicas' | 'isStarting' | 'latencyMs'>;
  /** Calls now; asked for when a fixed number begins to follow the load. */
  readonly loadNow: () => Pick<Observation, 'underWay' | 'waiting'>;
  /** Calls that got no place since the start. */
  readonly refused: () => number;
  /** False while it is stopped, restarted or asleep. */
  readonly isRunning: () => boolean;
  readonly resize: (count: number) => void;
  readonly onDecision: (decision: ScaleDecision) => void;
}

const keptDecisions = 20;

/** Weight of the newest look in the average of calls under way: some five looks count. Who waits counts at once. */
const newest = 0.2;

export function createScaling(options: ScalingOptions): Scaling {
  const { server, replicas, clock, scaler, replicasNow } = options;
  const fixed: ScaleOptions = { ...defaultScale, min: replicas, max: replicas };
  const configured = options.settings ?? fixed;
  const underWayMeter = createLoadMeter(clock);
  const waitingMeter = createLoadMeter(clock);
  const decisions: ScaleDecision[] = [];
  let settings: ScaleOptions = { ...configured, ...options.byHand };
  let isByHand = options.byHand !== undefined;
  let state = freshState;
  let refusedBefore = 0;
  let isWatched = false;
  /** It has been noted that the load asks for more than the most. */
  let isBeyondNoted = false;
  /** Calls under way, on average over the last seconds. */
  let underWay = 0;
  let load = 0;

  function note(from: number, to: number, reason: string): void {
    const decision = { atMs: clock.now(), from, to, reason };
    decisions.push(decision);
    if (decisions.length > keptDecisions) decisions.shift();
    options.onDecision(decision);
  }

  function change(to: number, reason: string): void {
    const from = replicasNow().replicas;
    if (from === to) return;
    isBeyondNoted = false;
    note(from, to, reason);
    options.resize(to);
  }

  const target: ScaleTarget = {
    look() {
      underWay += (underWayMeter.take() - underWay) * newest;
      const seen = {
        ...replicasNow(),
        underWay,
        waiting: waitingMeter.take(),
        refused: options.refused() - refusedBefore,
      };
      refusedBefore += seen.refused;
      if (!options.isRunning()) {
        isWatched = false;
        return false;
      }
      const verdict = decide(seen, settings, state, clock.now());
      ({ state } = verdict);
      change(verdict.wanted, verdict.reason);
      noteBeyond(verdict.needed, verdict.reason);
      // A fixed number is left alone, and so is the least while nothing is called.
      isWatched = settings.min < settings.max && (load > 0 || verdict.wanted > settings.min);
      return isWatched;
    },
  };

  function noteBeyond(needed: number, reason: string): void {
    const { max } = settings;
    if (needed <= max || isBeyondNoted || replicasNow().replicas < max) return;
    isBeyondNoted = true;
    note(max, max, `${max} is the most, ${needed} are needed: ${reason}`);
  }

  function loadChanged(underWayNow: number, waiting: number): void {
    if (settings.min === settings.max) return;
    load = underWayNow + waiting;
    underWayMeter.set(underWayNow);
    waitingMeter.set(waiting);
    if (!isWatched) watch();
  }

  function watch(): void {
    isWatched = true;
    underWay = 0;
    underWayMeter.take();
    waitingMeter.take();
    scaler.watch(target);
  }

  return {
    get bounds() {
      return { min: settings.min, max: settings.max };
    },
    get isByHand() {
      return isByHand;
    },
    decisions,
    setBounds(bounds) {
      const { min, max } = bounds ?? configured;
      if (min > max || min < 1 || max > mostReplicas)
        throw new AppError('INVALID_INPUT', {
          field: 'replicas',
          problem: `of ${server} must be 1 to ${mostReplicas}, and min not more than max; given were min ${min} and max ${max}`,
        });
      settings = { ...configured, min, max };
      isByHand = bounds !== undefined;
      const { replicas: now } = replicasNow();
      const to = Math.min(Math.max(now, min), max);
      change(to, isByHand ? 'by hand' : 'back to the config');
      if (to !== now) state = { ...freshState, changedAtMs: clock.now() };
      if (min === max) return;
      const { underWay: underWayNow, waiting } = options.loadNow();
      loadChanged(underWayNow, waiting);
      if (!isWatched) watch();
    },
    loadChanged,
    slept() {
      change(settings.min, 'asleep');
    },
    close() {
      scaler.forget(target);
    },
  };
}
