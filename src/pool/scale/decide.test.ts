import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScaleOptions } from '../../kernel/pool-options.ts';
import { decide, freshState, type Observation, type ScaleState } from './decide.ts';

const settings: ScaleOptions = {
  min: 1,
  max: 8,
  targetConcurrency: 4,
  targetLatencyMs: 500,
  upCoolDownMs: 3000,
  downCoolDownMs: 60_000,
};

const quiet: Observation = {
  replicas: 1,
  isStarting: false,
  underWay: 0,
  waiting: 0,
  refused: 0,
  latencyMs: 0,
};

const amount = (max: number) => fc.double({ min: 0, max, noNaN: true });

const observations = fc.record({
  replicas: fc.integer({ min: 1, max: 64 }),
  isStarting: fc.boolean(),
  underWay: amount(500),
  waiting: amount(500),
  refused: fc.nat(100),
  latencyMs: amount(10_000),
});

const anySettings = fc
  .record({
    min: fc.integer({ min: 1, max: 64 }),
    more: fc.integer({ min: 0, max: 63 }),
    targetConcurrency: fc.double({ min: 0.1, max: 100, noNaN: true }),
    targetLatencyMs: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
    upCoolDownMs: fc.integer({ min: 0, max: 10_000 }),
    downCoolDownMs: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ min, more, ...rest }): ScaleOptions => ({ ...rest, min, max: min + more }));

const states = fc.record<ScaleState>({
  changedAtMs: fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined }),
  lowSinceMs: fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined }),
  lowPeak: fc.integer({ min: 0, max: 64 }),
});

describe('the number of replicas', () => {
  it('is never outside its bounds, whatever was seen', () => {
    fc.assert(
      fc.property(observations, anySettings, states, (seen, given, state) => {
        const { wanted } = decide(seen, given, state, 1_000_000);
        expect(wanted).toBeGreaterThanOrEqual(given.min);
        expect(wanted).toBeLessThanOrEqual(given.max);
      }),
    );
  });

  it.each(['underWay', 'waiting', 'refused'] as const)('is never less for more calls %s', (kind) => {
    fc.assert(
      fc.property(observations, fc.nat(200), anySettings, states, (seen, more, given, state) => {
        const before = decide(seen, given, state, 1_000_000).wanted;
        const after = decide({ ...seen, [kind]: seen[kind] + more }, given, state, 1_000_000).wanted;
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it('is never less for slower calls', () => {
    fc.assert(
      fc.property(observations, amount(5000), anySettings, states, (seen, more, given, state) => {
        const before = decide(seen, given, state, 1_000_000).wanted;
        const slower = { ...seen, latencyMs: seen.latencyMs + more };
        expect(decide(slower, given, state, 1_000_000).wanted).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it('does not flap: no change falls into the cool-down of the one before', () => {
    const looks = fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), observations), { maxLength: 300 });
    fc.assert(
      fc.property(looks, anySettings, (seen, given) => {
        let nowMs = 0;
        let replicas = given.min;
        let state = freshState;
        let changedAtMs = -Infinity;
        for (const [afterMs, observation] of seen) {
          nowMs += afterMs;
          const verdict = decide({ ...observation, replicas }, given, state, nowMs);
          ({ state } = verdict);
          if (verdict.wanted === replicas) continue;
          const coolDownMs = verdict.wanted > replicas ? given.upCoolDownMs : given.downCoolDownMs;
          expect(nowMs - changedAtMs).toBeGreaterThanOrEqual(coolDownMs);
          changedAtMs = nowMs;
          replicas = verdict.wanted;
        }
      }),
    );
  });

  it('settles under a steady load, and stays', () => {
    fc.assert(
      fc.property(amount(200), anySettings, (underWay, given) => {
        let replicas = given.min;
        let state = freshState;
        const seen: number[] = [];
        for (let nowMs = 0; nowMs < 400_000; nowMs += 1000) {
          const verdict = decide({ ...quiet, underWay, replicas }, given, state, nowMs);
          ({ state } = verdict);
          replicas = verdict.wanted;
          seen.push(replicas);
        }
        expect(new Set(seen.slice(200)).size).toBe(1);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a look', () => {
  const look = (seen: Partial<Observation>, state: ScaleState = freshState, nowMs = 0) =>
    decide({ ...quiet, ...seen }, settings, state, nowMs);

  it('goes at once to what the load asks for, and says why', () => {
    expect(look({ underWay: 9, waiting: 4 })).toMatchObject({
      wanted: 4,
      reason: '13 calls at a time, 4 of them waiting; 4 a replica are aimed for',
    });
  });

  it('leaves a load alone that is near the target', () => {
    expect(look({ underWay: 4.3 }).wanted).toBe(1);
    expect(look({ underWay: 4.5 }).wanted).toBe(2);
  });

  it('does not bring more while those it brought cool down', () => {
    const { state } = look({ underWay: 9 });
    expect(look({ underWay: 30, replicas: 3 }, state, 2000).wanted).toBe(3);
    expect(look({ underWay: 30, replicas: 3 }, state, 3000).wanted).toBe(8);
  });

  it('takes away after a whole cool-down of low load, down to the most that was needed in it', () => {
    const first = look({ replicas: 6, underWay: 1 }, freshState, 100_000);
    const peak = look({ replicas: 6, underWay: 9 }, first.state, 130_000);
    expect(look({ replicas: 6 }, peak.state, 159_999).wanted).toBe(6);
    expect(look({ replicas: 6 }, peak.state, 160_000)).toMatchObject({
      wanted: 3,
      reason: 'for 60 s 3 would have done',
    });
  });

  it('begins the wait anew when they were all needed', () => {
    const low = look({ replicas: 2, underWay: 1 }, freshState, 0);
    const busy = look({ replicas: 2, underWay: 8 }, low.state, 50_000);
    const again = look({ replicas: 2, underWay: 1 }, busy.state, 70_000);
    expect([busy.wanted, again.wanted]).toEqual([2, 2]);
    expect(look({ replicas: 2, underWay: 1 }, again.state, 130_000).wanted).toBe(1);
  });

  it('brings one more when calls were refused', () => {
    expect(look({ refused: 3, underWay: 1 })).toMatchObject({
      wanted: 2,
      reason: expect.stringMatching(/^3 calls were refused/),
    });
  });

  it('brings more for slow calls only where calls share a replica, and none starts', () => {
    expect(look({ latencyMs: 900, underWay: 3 }).wanted).toBe(2);
    expect(look({ latencyMs: 900, underWay: 1 }).wanted).toBe(1);
    expect(look({ latencyMs: 900, underWay: 3, isStarting: true }).wanted).toBe(1);
    expect(look({ latencyMs: 9000, underWay: 7, replicas: 2 }).wanted).toBe(4);
  });

  it('comes back within new bounds at once', () => {
    const { state } = look({ underWay: 9 });
    expect(decide({ ...quiet, replicas: 9 }, settings, state, 1).wanted).toBe(8);
    expect(decide({ ...quiet, replicas: 1 }, { ...settings, min: 2 }, state, 1).wanted).toBe(2);
  });
});
