/** A simulated day of load through the real scaler, queue, balancer and failover, and the picture of it in the guide. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { drawDay } from '../../docs/draw-scaling.ts';
import { day, type ScalingDay, simulateDay, type Step } from '../fixtures/scaling-day.ts';

const hourMs = 3_600_000;
let simulated: ScalingDay;

beforeAll(async () => {
  simulated = await simulateDay();
}, 60_000);

const between = (from: number, to: number): Step[] =>
  simulated.steps.filter(({ atMs }) => atMs >= from * hourMs && atMs < to * hourMs);
/** The spike, and the time until its queue is worked off. */
const isSpike = (atMs: number) => atMs >= 15 * hourMs && atMs < 15.5 * hourMs;

describe('a day of load', () => {
  it('loses no call', () => {
    expect(simulated.arrived).toBeGreaterThan(40_000);
    expect([simulated.answered, simulated.failed]).toEqual([simulated.arrived, {}]);
  });

  it('makes calls wait at the spike, within their deadline, and hardly ever else', () => {
    const longest = Math.max(...simulated.waits.map(({ waitMs }) => waitMs));
    expect(longest).toBeLessThan(day.maxWaitMs);
    const atSpike = simulated.waits.filter(({ atMs }) => isSpike(atMs)).map(({ waitMs }) => waitMs);
    expect(Math.round(Math.max(...atSpike) / 1000)).toBe(10);
    const others = simulated.waits.filter(({ atMs }) => !isSpike(atMs)).map(({ waitMs }) => waitMs);
    const late = others.filter((waitMs) => waitMs > 1000).length;
    expect(late / others.length).toBeLessThan(0.005);
    // The first call of the morning waits for the start.
    expect(Math.max(...others)).toBeLessThanOrEqual(day.startMs);
  });

  it('has replicas that follow the load', () => {
    const target = day.maxConcurrency * 0.7;
    for (const { atMs, load, replicas } of simulated.steps) {
      if (isSpike(atMs)) continue;
      expect(replicas * day.maxConcurrency, `places at ${atMs / hourMs}`).toBeGreaterThanOrEqual(load);
      // What is more than needed was needed at some moment of the last two cool-downs.
      const recent = simulated.steps.filter((step) => step.atMs > atMs - 900_000 && step.atMs <= atMs);
      const most = Math.max(...recent.map((step) => step.load));
      expect(replicas, `replicas at ${atMs / hourMs}`).toBeLessThanOrEqual(Math.ceil(most / target) + 4);
    }
    expect(Math.max(...between(15, 15.3).map(({ replicas }) => replicas))).toBe(day.max);
    expect(Math.max(...between(12.6, 13).map(({ replicas }) => replicas))).toBeLessThan(
      Math.min(...between(11, 12).map(({ replicas }) => replicas)),
    );
  });

  it('runs none at night, and never more than the most', () => {
    for (const { replicas } of [...between(0.5, 6), ...between(23, 24)]) expect(replicas).toBe(0);
    expect(simulated.mostOpen).toBeLessThanOrEqual(day.max);
    expect(simulated.openAtEnd).toBe(0);
  });

  it('does not flap', () => {
    const changes = simulated.decisions.filter(({ from, to }) => from !== to);
    for (const [n, { atMs, from, to }] of changes.entries()) {
      const quietMs = atMs - (changes[n - 1]?.atMs ?? -Infinity);
      expect(quietMs).toBeGreaterThanOrEqual(to > from ? day.upCoolDownMs : day.downCoolDownMs);
    }
    expect(changes.length).toBeLessThan(80);
    expect(simulated.decisions.filter(({ from, to }) => from === to)).toHaveLength(1);
  });

  it('is the one that the guide shows: node docs/draw-scaling.ts', async () => {
    const path = join(import.meta.dirname, '..', '..', 'docs', 'guides', 'scaling-day.svg');
    expect((await readFile(path, 'utf8')).replaceAll('\r\n', '\n')).toBe(drawDay(simulated));
  });
});
