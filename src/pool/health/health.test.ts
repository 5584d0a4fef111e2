import { describe, expect, it } from 'vitest';
import {
  connectScripted,
  createScriptedUpstream,
  type Script,
} from '../../../test/fixtures/scripted-upstream.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { createRetryBudget } from '../retry-budget.ts';
import { createBreaker } from './breaker.ts';
import { createConnectionCheck } from './check-connection.ts';
import { createCheckSchedule } from './check-schedule.ts';
import { createLatency } from './latency.ts';

function breakerAt(clock = createFakeClock()) {
  const breaker = createBreaker({ clock, failures: 3, openMs: 1000, onChange() {} });
  return { clock, breaker };
}

describe('a circuit breaker', () => {
  it('opens after failures in a row, and not when a success comes between', () => {
    const { breaker } = breakerAt();
    for (let n = 0; n < 4; n += 1) {
      breaker.fail();
      breaker.fail();
      breaker.succeed();
    }
    expect(breaker.state).toBe('closed');
    for (let n = 0; n < 3; n += 1) breaker.fail();
    expect(breaker.state).toBe('open');
  });

  it('opens when half of the last twenty calls failed, though never three in a row', () => {
    const { breaker } = breakerAt();
    for (let n = 0; n < 20; n += 1) {
      if (n % 2) breaker.fail();
      else breaker.succeed();
    }
    expect(breaker.state).toBe('open');
  });

  it('lets one call try when its time is over, and closes when that succeeds', () => {
    const { clock, breaker } = breakerAt();
    for (let n = 0; n < 3; n += 1) breaker.fail();
    clock.advance(999);
    expect([breaker.state, breaker.mayTry]).toEqual(['open', false]);
    clock.advance(1);
    expect([breaker.state, breaker.mayTry]).toEqual(['half-open', true]);
    breaker.beginTrial();
    expect(breaker.mayTry).toBe(false);
    breaker.succeed();
    expect(breaker.state).toBe('closed');
  });

  it('stays open twice as long after each trial that fails, and gives a trial without outcome back', () => {
    const { clock, breaker } = breakerAt();
    for (let n = 0; n < 3; n += 1) breaker.fail();
    clock.advance(1000);
    breaker.beginTrial();
    breaker.abandonTrial();
    expect(breaker.mayTry).toBe(true);
    breaker.fail();
    clock.advance(1999);
    expect(breaker.state).toBe('open');
    clock.advance(1);
    expect(breaker.state).toBe('half-open');
  });
});

describe('the schedule of checks', () => {
  it('spreads a thousand servers that start together over the interval, and keeps them spread', async () => {
    const clock = createFakeClock();
    const schedule = createCheckSchedule(clock);
    const perSecond = Array.from({ length: 301 }, () => 0);
    let checks = 0;
    for (let n = 0; n < 1000; n += 1) {
      schedule.add({
        intervalMs: 30_000,
        isDue: () => true,
        async check() {
          checks += 1;
          perSecond[Math.floor(clock.now() / 1000)]! += 1;
        },
      });
    }
    for (let ms = 0; ms < 300_000; ms += 10) {
      clock.advance(10);
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    // 33 a second on average; a burst would be hundreds.
    expect(checks).toBeGreaterThan(9000);
    const seconds = perSecond.slice(0, 300);
    expect(Math.max(...seconds)).toBeLessThan(75);
    expect(Math.min(...seconds)).toBeGreaterThan(3);
  });

  it('runs few at a time though all are due at once, and none that is not due', async () => {
    const clock = createFakeClock();
    const schedule = createCheckSchedule(clock, () => 0);
    const gate = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    for (let n = 0; n < 200; n += 1) {
      schedule.add({
        intervalMs: 1000,
        isDue: () => n % 2 === 0,
        async check() {
          running += 1;
          most = Math.max(most, running);
          await gate.promise;
          running -= 1;
        },
      });
    }
    clock.advance(1);
    expect(running).toBe(16);
    gate.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect([running, most]).toEqual([0, 16]);
  });
});

describe('a check of a connection', () => {
  const silent: Script = () => {
    throw new AppError('UPSTREAM_TIMEOUT', { server: 's', method: 'ping', timeoutMs: 1 });
  };

  async function checkOf(era: 'legacy' | 'modern', scripts: Record<string, Script>) {
    const upstream = createScriptedUpstream(era, scripts);
    const check = createConnectionCheck(await connectScripted(upstream, {}), 1000);
    return { check, methods: () => upstream.asked.map(({ method }) => method) };
  }

  it('pings the legacy era and asks the modern one who it is', async () => {
    const legacy = await checkOf('legacy', { ping: () => ({}) });
    await legacy.check.run();
    const modern = await checkOf('modern', { 'server/discover': () => ({}) });
    await modern.check.run();
    expect([legacy.methods(), modern.methods()]).toEqual([['ping'], ['server/discover']]);
  });

  it('takes an error of the server for a sign of life', async () => {
    await expect((await checkOf('legacy', {})).check.run()).resolves.toBeUndefined();
  });

  it('asks a server that does not answer ping for its list, from then on at once', async () => {
    let lists = 0;
    const { check, methods } = await checkOf('legacy', {
      ping: silent,
      'tools/list': () => ({ tools: [(lists += 1)] }),
    });
    await check.run();
    await check.run();
    expect([methods(), lists]).toEqual([['ping'], 2]);
  });

  it('fails when nothing is answered', async () => {
    const { check } = await checkOf('legacy', { ping: silent, 'tools/list': silent });
    await expect(check.run()).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });
});

describe('the average of latencies', () => {
  it('follows the calls, and is forgotten when none comes', () => {
    const clock = createFakeClock();
    const latency = createLatency(clock);
    expect(latency.currentMs).toBe(0);
    latency.observe(100);
    for (let n = 0; n < 50; n += 1) latency.observe(20);
    expect(latency.averageMs).toBeCloseTo(20, 1);
    clock.advance(10_000);
    expect(latency.currentMs).toBeCloseTo(10, 1);
    expect(latency.averageMs).toBeCloseTo(20, 1);
  });
});

describe('the budget of repetitions', () => {
  it('covers a crash under load, and no storm', () => {
    const clock = createFakeClock();
    const budget = createRetryBudget(clock);
    const granted = (count: number) =>
      Array.from({ length: count }, () => budget.withdraw()).filter(Boolean).length;
    expect(granted(5000)).toBe(1000);
    // Everything fails: a fifth of the calls may be repeated.
    for (let n = 0; n < 1000; n += 1) budget.deposit();
    expect(granted(1000)).toBeGreaterThanOrEqual(199);
    expect(granted(1000)).toBe(0);
    clock.advance(10_000);
    expect(granted(1000)).toBe(100);
  });
});
