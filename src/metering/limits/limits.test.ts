import fc from 'fast-check';
import { afterEach, describe, expect, it, test } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import type { GuardedCall } from '../../kernel/call-guard.ts';
import { createFakeClock, type FakeClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { silentLogger } from '../../kernel/log.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { LimitSettings } from '../../kernel/rate-limits.ts';
import { openStore, type Store } from '../../store/open-store.ts';
import { createLimitGuard } from './limit-guard.ts';
import type { Limited, Limits } from './limits.ts';
import { openLimits, type OpenedLimits } from './open-limits.ts';

let open = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

const none: LimitSettings = { rates: {}, plans: {}, tenantPlans: {}, principalPlans: {} };
const noUses = {
  everyone: async () => new Map<string, number>(),
  add: async () => {},
  dropBefore: async () => {},
};
const start = Date.UTC(2026, 10, 21);
const hour = 3_600_000;
const day = 24 * hour;

const anna: Principal = { id: 'key:anna', tenant: 'default', role: 'agent' };
const somchai: Principal = { id: 'key:สมชาย', tenant: 'default', role: 'agent' };
const other: Principal = { id: 'key:anna', tenant: 'elsewhere', role: 'agent' };

interface SetUp extends OpenedLimits {
  readonly clock: FakeClock;
  /** How many of so many get through at once. */
  readonly admit: (times: number, limited?: Limited) => number;
}

async function setUp(
  settings: Partial<LimitSettings>,
  { clock = createFakeClock(start), store }: { clock?: FakeClock; store?: Pick<Store, 'monthlyUses'> } = {},
): Promise<SetUp> {
  const uses = store?.monthlyUses ?? noUses;
  const opened = await openLimits({ settings: { ...none, ...settings }, uses, clock, logger: silentLogger });
  return open.use({
    ...opened,
    clock,
    admit: (times, limited = { principal: anna }) =>
      Array.from({ length: times }).filter(() => refusalOf(opened.limits, limited) === undefined).length,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  });
}

function refusalOf(limits: Limits, limited: Limited): AppError | undefined {
  try {
    void limits.enter(limited);
    return undefined;
  } catch (error) {
    return error as AppError;
  }
}

describe('a rate', () => {
  it('lets a burst through, then as many as come back, and says when', async () => {
    const { clock, limits, admit } = await setUp({
      rates: { r: { per: 'principal', perSecond: 10, burst: 20 } },
    });
    expect(admit(30)).toBe(20);
    expect(refusalOf(limits, { principal: anna })).toMatchObject({
      code: 'RATE_LIMITED',
      data: {
        rule: 'r',
        per: 'principal',
        window: 'second',
        limit: 10,
        burst: 20,
        remaining: 0,
        retryAfterMs: 100,
      },
    });
    clock.advance(99);
    expect(admit(1)).toBe(0);
    clock.advance(1);
    expect(admit(5)).toBe(1);
    clock.advance(10_000);
    expect(admit(30)).toBe(20);
  });

  it.each([
    [{ perSecond: 0.5 }, 1, 2000],
    [{ perHour: 10 }, 10, 360_000],
    [{ perHour: 100, burst: 1 }, 1, 36_000],
  ])('%j lets %i through at once, and the next after %i ms', async (allowance, atOnce, nextMs) => {
    const { clock, admit } = await setUp({ rates: { r: { per: 'all', ...allowance } } });
    expect(admit(20)).toBe(atOnce);
    clock.advance(nextMs - 1);
    expect(admit(1)).toBe(0);
    clock.advance(1);
    expect(admit(2)).toBe(1);
  });

  it('never lets more through than its burst and what comes back, in any time', async () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 12 })), {
      maxLength: 40,
    });
    const rule = fc.record({
      perSecond: fc.double({ min: 0.01, max: 50, noNaN: true }),
      burst: fc.integer({ min: 1, max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(rule, steps, async ({ perSecond, burst }, waits) => {
        const { clock, admit } = await setUp({ rates: { r: { per: 'principal', perSecond, burst } } });
        const passed: number[] = [];
        for (const [waitMs, tries] of waits) {
          clock.advance(waitMs);
          passed.push(...Array<number>(admit(tries)).fill(clock.now()));
        }
        for (let from = 0; from < passed.length; from += 1)
          for (let to = from; to < passed.length; to += 1) {
            const bound = burst + (perSecond * (passed[to]! - passed[from]!)) / 1000;
            expect(to - from + 1).toBeLessThanOrEqual(Math.floor(bound + 1e-4));
          }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a rule', () => {
  const call = (principal: Principal, server?: string, tool?: string): Limited => ({
    principal,
    server,
    tool,
  });
  const anywhere = call(anna, 'one', 'echo');
  it.each([
    ['principal', call(anna, 'two', 'x'), call(somchai, 'one', 'echo')],
    ['tenant', call(somchai, 'two'), call(other, 'one', 'echo')],
    ['server', call(other, 'one', 'x'), call(anna, 'two', 'echo')],
    ['tool', call(other, 'one', 'echo'), call(anna, 'one', 'x')],
  ] as const)('per %s counts the same together and others apart', async (per, same, apart) => {
    const { admit } = await setUp({ rates: { r: { per, perHour: 3 } } });
    expect(admit(2, anywhere)).toBe(2);
    expect(admit(3, same)).toBe(1);
    expect(admit(9, apart)).toBe(3);
    expect(admit(1, anywhere)).toBe(0);
  });

  it('for all counts all', async () => {
    const { admit } = await setUp({ rates: { r: { per: 'all', perHour: 3 } } });
    expect(admit(2, anywhere) + admit(2, call(other)) + admit(2, call(somchai, 'two'))).toBe(3);
  });

  it('is for those that it names, by name or beginning', async () => {
    const { admit } = await setUp({
      rates: {
        tools: { per: 'tool', of: ['one/e*', '*/x.*', '*wo/x'], perHour: 1 },
        keys: { per: 'principal', of: ['key:สมชาย'], perHour: 2 },
      },
    });
    expect(admit(5, anywhere)).toBe(1);
    expect(admit(5, call(anna, 'one', 'x'))).toBe(5);
    expect(admit(5, call(anna, 'two', 'x'))).toBe(1);
    expect(admit(5, call(somchai))).toBe(2);
  });

  it('that is used up leaves the others uncounted', async () => {
    const { limits, admit } = await setUp({
      rates: { small: { per: 'principal', perHour: 1 }, large: { per: 'all', perHour: 10, perMonth: 10 } },
    });
    expect(admit(5)).toBe(1);
    const left = limits.knownStandings({ principal: anna }).map(({ rule, remaining }) => [rule, remaining]);
    expect(left).toEqual([
      ['small', 0],
      ['large', 9],
      ['large', 9],
    ]);
  });

  it('keeps what it counted when the config is loaded again, and what it forgets is as new', async () => {
    const { clock, limits, admit } = await setUp({
      rates: { r: { per: 'principal', perMonth: 3, concurrency: 9 } },
    });
    const held = limits.enter({ principal: anna });
    expect(admit(1)).toBe(1);
    limits.apply({
      ...none,
      rates: { r: { per: 'principal', perMonth: 4 }, s: { per: 'all', perSecond: 100 } },
    });
    if (held && !(held instanceof Promise)) held.leave();
    clock.advance(10 * 60_000);
    expect(admit(5)).toBe(2);
    limits.apply(none);
    expect(admit(5)).toBe(5);
  });
});

describe('plans', () => {
  it('hold for the whole tenant, unless a key has one of its own', async () => {
    const { limits, admit } = await setUp({
      plan: 'devops-free',
      plans: { tiny: { perHour: 1, priority: 'normal' } },
      tenantPlans: { elsewhere: 'devops-starter' },
      principalPlans: { 'key:สมชาย': 'tiny' },
    });
    expect(admit(8)).toBe(8);
    expect(admit(8, { principal: { ...anna, id: 'key:c' } })).toBe(2);
    expect(admit(3, { principal: somchai })).toBe(1);
    expect(admit(200, { principal: other })).toBe(100);
    expect([anna, somchai, other].map((one) => limits.planOf(one))).toEqual([
      'devops-free',
      'tiny',
      'devops-starter',
    ]);
    expect([anna, somchai, other].map((one) => limits.priorityOf(one))).toEqual(['low', 'normal', 'normal']);
  });

  it.each([
    ['devops-free', 10, 50],
    ['devops-starter', 100, 500],
    ['devops-professional', 500, 2500],
    ['devops-enterprise', 2000, 10_000],
  ])('%s: %i an hour, %i a month', async (plan, perHour, perMonth) => {
    const { clock, limits, admit } = await setUp({ plan });
    let passed = admit(perHour + 1);
    expect(passed).toBe(perHour);
    for (let hours = 1; hours < 9; hours += 1) {
      clock.advance(hour);
      passed += admit(perHour);
    }
    expect(passed).toBe(perMonth);
    expect(refusalOf(limits, { principal: anna })).toMatchObject({ data: { window: 'month' } });
    clock.advance(Date.UTC(2026, 11, 1) - clock.now());
    expect(admit(perHour + 1)).toBe(perHour);
  });
});

describe('a month', () => {
  it('ends at midnight UTC, and says so', async () => {
    const { clock, limits, admit } = await setUp({ rates: { r: { per: 'principal', perMonth: 2 } } });
    expect(admit(3)).toBe(2);
    const restMs = Date.UTC(2026, 11, 1) - start;
    expect(refusalOf(limits, { principal: anna })).toMatchObject({ data: { retryAfterMs: restMs } });
    clock.advance(restMs - 1);
    expect(admit(1)).toBe(0);
    clock.advance(1);
    expect(admit(3)).toBe(2);
    clock.advance(31 * day);
    expect(admit(3)).toBe(2);
  });

  it('goes on after a restart, also with what was counted since the last write', async () => {
    const folder = open.use(await createTempFolder());
    const store = open.use(await openStore(folder.path));
    const clock = createFakeClock(start);
    const settings = {
      rates: { r: { per: 'principal' as const, perMonth: 10 }, all: { per: 'all' as const, perMonth: 11 } },
    };
    const counted: number[] = [];
    for (const principal of [anna, anna, other, anna]) {
      const round = await setUp(settings, { clock, store });
      counted.push(round.admit(4, { principal }));
      await round[Symbol.asyncDispose]();
    }
    expect(counted).toEqual([4, 4, 3, 0]);
    const [kept, strange] = await Promise.all(
      ['default', 'nobody'].map((tenant) => store.monthlyUses.list(tenant, '2026-11')),
    );
    expect([...kept!.values()]).toEqual([8]);
    expect(strange!.size).toBe(0);
    clock.advance(30 * day);
    const next = await setUp(settings, { clock, store });
    expect(next.admit(12)).toBe(10);
    await next.flush();
    expect([...(await store.monthlyUses.list('default', '2026-12')).values()]).toEqual([10]);
  });

  it('is counted on where the store fails, and written when it does no more', async () => {
    let written = 0;
    let isFull = true;
    const monthlyUses = {
      ...noUses,
      list: noUses.everyone,
      async add(_tenant: string, _month: string, counts: ReadonlyMap<string, number>) {
        if (isFull) throw new Error('database or disk is full');
        for (const more of counts.values()) written += more;
      },
    };
    const round = await setUp(
      { rates: { r: { per: 'principal', perMonth: 5 } } },
      { store: { monthlyUses } },
    );
    expect(round.admit(3)).toBe(3);
    await round.flush();
    isFull = false;
    expect(round.admit(3)).toBe(2);
    await round.flush();
    expect(written).toBe(5);
  });
});

describe('the guard of calls', () => {
  const call = {
    principal: anna,
    server: { id: 'one', category: '' },
    method: 'tools/call',
    name: 'echo',
  } as GuardedCall;
  const rates = { r: { per: 'principal', concurrency: 2 } } as const;

  it.each([
    ['ends well', async () => ({})],
    ['fails', () => Promise.reject(new AppError('UPSTREAM_FAILED'))],
    ['is cancelled', () => Promise.reject(new AppError('REQUEST_CANCELLED'))],
    [
      'throws',
      () => {
        throw new Error('at once');
      },
    ],
  ])('lets go of a place when the call %s', async (_, next: () => Promise<object>) => {
    const { limits } = await setUp({ rates });
    const guard = createLimitGuard(limits);
    for (let n = 0; n < 5; n += 1) await Promise.resolve(guard.run(call, next as never)).catch(() => {});
    expect(limits.knownStandings(call as never)).toMatchObject([{ remaining: 2 }]);
  });

  it('refuses one more at a time, and lets on when one is over', async () => {
    const { limits } = await setUp({ rates });
    const guard = createLimitGuard(limits);
    const over = Promise.withResolvers<object>();
    const under = [
      guard.run(call, () => over.promise as never),
      guard.run(call, () => over.promise as never),
    ];
    await expect(guard.run(call, async () => ({}))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      data: { window: 'concurrency', limit: 2, retryAfterMs: 1000 },
    });
    over.resolve({});
    await Promise.all(under);
    expect(await guard.run(call, async () => ({ done: true }))).toEqual({ done: true });
  });

  it('counts no tool that its server does not list', async () => {
    const { limits } = await setUp({ rates: { r: { per: 'tool', perHour: 1 } } });
    const guard = createLimitGuard(limits);
    for (let n = 0; n < 3; n += 1) await guard.run({ ...call, name: `made-up-${n}` }, async () => ({}));
    await guard.run({ ...call, definition: {} }, async () => ({}));
    await expect(guard.run({ ...call, definition: {} }, async () => ({}))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
    });
  });

  it('makes a call no more urgent than the plan', async () => {
    const { limits } = await setUp({ plan: 'community' });
    const seen: unknown[] = [];
    await createLimitGuard(limits).run(call, async ({ maxPriority }) => ({ done: seen.push(maxPriority) }));
    expect(seen).toEqual(['low']);
  });
});

test('a thousand keys that are quiet are forgotten', async () => {
  const { clock, limits, admit } = await setUp({ rates: { r: { per: 'principal', perSecond: 5 } } });
  for (let n = 0; n < 1000; n += 1) admit(6, { principal: { ...anna, id: `key:${n}` } });
  clock.advance(120_000);
  expect(limits.knownStandings({ principal: anna })).toMatchObject([{ remaining: 5 }]);
  expect(admit(6)).toBe(5);
});
