/** Two coordinators that count together, on a real Redis. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/e2e/eventually.ts';
import { type RedisServer, startRedis, whyNoRedis } from '../../../test/fixtures/redis-server.ts';
import { systemClock } from '../../kernel/clock.ts';
import { isAppError } from '../../kernel/errors.ts';
import { silentLogger } from '../../kernel/log.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { LimitRule } from '../../kernel/rate-limits.ts';
import type { Entered } from './limits.ts';
import { openLimits, type OpenedLimits } from './open-limits.ts';
import { openRedisPermits } from './redis-permits.ts';
import { leaseMs, mostLeased } from './shared-permits.ts';

const why = whyNoRedis();
if (why !== undefined && process.env['CI'] !== undefined && process.platform !== 'win32')
  throw new Error(why);

let open = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

const anna: Principal = { id: 'key:anna', tenant: 'default', role: 'agent' };
const noUses = {
  everyone: async () => new Map<string, number>(),
  add: async () => {},
  dropBefore: async () => {},
};

async function openCoordinator(
  { url }: RedisServer,
  rule: Omit<LimitRule, 'per'>,
  onFailure: 'allow' | 'block' = 'allow',
): Promise<OpenedLimits & { readonly away: boolean[] }> {
  const away: boolean[] = [];
  const opened = await openLimits({
    settings: { rates: { r: { per: 'principal', ...rule } }, plans: {}, tenantPlans: {}, principalPlans: {} },
    uses: noUses,
    redis: { url, prefix: 'test', timeoutMs: 2000, onFailure },
    clock: systemClock,
    logger: silentLogger,
    onAway: (isAway) => void away.push(isAway),
  });
  return open.use({ ...opened, away, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() });
}

/** One call: let through, refused, or the code of another error. */
async function outcomeOf({ limits }: OpenedLimits): Promise<string> {
  try {
    await limits.enter({ principal: anna });
    return 'passed';
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.code === 'RATE_LIMITED' ? 'refused' : error.code;
  }
}

async function admit(coordinators: readonly OpenedLimits[], times: number): Promise<number> {
  const tries = Array.from({ length: times }).flatMap(() => coordinators.map(outcomeOf));
  return (await Promise.all(tries)).filter((one) => one === 'passed').length;
}

describe.skipIf(why !== undefined)(
  `two coordinators on one Redis${why === undefined ? '' : ` (${why})`}`,
  () => {
    it.each([1, 10, 105, 2000])(
      'never let more than %i a month through, and in the end all of them',
      async (perMonth) => {
        const redis = open.use(await startRedis());
        const both = [await openCoordinator(redis, { perMonth }), await openCoordinator(redis, { perMonth })];
        let passed = await admit(both, perMonth);
        expect(passed).toBeLessThanOrEqual(perMonth);
        await eventually('the last ones, which the other one gave back', async () => {
          passed += await admit(both, 20);
          expect(passed).toBeLessThanOrEqual(perMonth);
          return passed === perMonth || undefined;
        });
        await sleep(leaseMs);
        expect(await admit(both, 20)).toBe(0);
      },
    );

    it('let no more through than the burst, what comes back, and what each may hold', async () => {
      const rule = { perSecond: 200, burst: 100 };
      const redis = open.use(await startRedis());
      const both = [await openCoordinator(redis, rule), await openCoordinator(redis, rule)];
      const passed: number[] = [];
      const end = performance.now() + 2500;
      while (performance.now() < end) {
        const from = performance.now();
        for (let count = await admit(both, 40); count > 0; count -= 1) passed.push(from);
        await sleep(5);
      }
      const held = 2 * mostLeased({ window: 'second', limit: rule.perSecond, burst: rule.burst });
      const untilMs = performance.now();
      for (let first = 0; first < passed.length; first += 1) {
        const bound = rule.burst + (rule.perSecond * (untilMs - passed[first]!)) / 1000 + held;
        expect(passed.length - first).toBeLessThanOrEqual(bound + 1);
      }
      expect(passed.length).toBeGreaterThan(rule.burst);
    });

    it('ask seldom: most calls wait for nobody', async () => {
      const redis = open.use(await startRedis());
      const one = await openCoordinator(redis, { perHour: 100_000 });
      let waited = 0;
      for (let n = 0; n < 5000; n += 1) {
        const entered: Entered | Promise<Entered> = one.limits.enter({ principal: anna });
        if (!(entered instanceof Promise)) continue;
        waited += 1;
        await entered;
      }
      expect(waited).toBeLessThan(100);
    });

    it('know how all of them together stand', async () => {
      const redis = open.use(await startRedis());
      const both = [
        await openCoordinator(redis, { perMonth: 50 }),
        await openCoordinator(redis, { perMonth: 50 }),
      ];
      expect(await admit(both, 10)).toBe(20);
      for (const { limits, counting } of both) {
        expect(counting()).toBe('shared');
        expect(await limits.standings({ principal: anna })).toMatchObject([{ limit: 50, remaining: 30 }]);
      }
    });

    it.each(['allow', 'block'] as const)(
      '%s while it is away, and go on together when it is back',
      async (onFailure) => {
        const redis = open.use(await startRedis());
        const one = await openCoordinator(redis, { perMonth: 20 }, onFailure);
        expect(await admit([one], 5)).toBe(5);
        await redis.kill();
        const outcomes = await Promise.all(Array.from({ length: 8 }, () => outcomeOf(one)));
        const away = onFailure === 'allow' ? 'passed' : 'LIMITS_UNAVAILABLE';
        expect(outcomes).toEqual(Array(8).fill(away));
        expect(one.counting()).toBe('here-for-now');
        await redis.start();
        await eventually('it to be back', () => one.counting() === 'shared' || undefined);
        expect(one.away).toEqual([false, true, false]);
        // It came back empty, and learns what this coordinator has let through.
        const other = await openCoordinator(redis, { perMonth: 20 }, onFailure);
        const known = onFailure === 'allow' ? 13 : 5;
        expect(await admit([one], 1)).toBe(1);
        expect(await admit([other], 30)).toBe(20 - known - 1);
      },
    );

    it('start where it is away', async () => {
      const redis = open.use(await startRedis());
      await redis.kill();
      const one = await openCoordinator(redis, { perMonth: 3 });
      expect(await admit([one], 5)).toBe(3);
      await redis.start();
      await eventually('it to be there', () => one.counting() === 'shared' || undefined);
      expect(await admit([one], 5)).toBe(0);
    });

    it('go on with a month after a restart', async () => {
      const redis = open.use(await startRedis());
      const first = await openCoordinator(redis, { perMonth: 10 });
      expect(await admit([first], 6)).toBe(6);
      await first[Symbol.asyncDispose]();
      expect(await admit([await openCoordinator(redis, { perMonth: 10 })], 9)).toBe(4);
    });
  },
);

it.skipIf(why !== undefined)('what is given back may be taken again, and no more than that', async () => {
  const redis = open.use(await startRedis());
  const source = open.use(
    await openRedisPermits({
      url: redis.url,
      prefix: 'สี',
      timeoutMs: 2000,
      firstWaitMs: 2000,
      onError: () => {},
    }),
  );
  const rate = { key: 'rate', shape: { kind: 'rate', intervalMs: 3_600_000, burst: 10 } } as const;
  expect(await source.lease(rate, 7, 0, 0)).toMatchObject({ granted: 7, rest: 3 });
  expect(await source.lease(rate, 7, 0, 0)).toMatchObject({ granted: 3, rest: 0 });
  expect(await source.lease(rate, 1, 0, 0)).toMatchObject({ granted: 0, rest: 0 });
  await source.giveBack(rate, 4);
  expect(await source.lease(rate, 0, 0, 0)).toMatchObject({ granted: 0, rest: 4 });
  await source.giveBack(rate, 100);
  expect(await source.lease(rate, 20, 0, 0)).toMatchObject({ granted: 10 });
  const endsAtMs = Date.now() + 60_000;
  const month = { key: 'month', shape: { kind: 'month', month: '2026-11', limit: 10, endsAtMs } } as const;
  expect(await source.lease(month, 4, 0, 0)).toEqual({ granted: 4, rest: 6 });
  expect(await source.lease(month, 4, 3, 0)).toEqual({ granted: 3, rest: 0 });
  await source.giveBack(month, 2);
  expect(await source.lease(month, 0, 0, 9)).toEqual({ granted: 0, rest: 1 });
});
