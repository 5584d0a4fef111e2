import { expect, it } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import { createTokenCredentials } from './token-credentials.ts';

/** Tokens `t1`, `t2` and so on, each for 100 s, given when the test says so. */
function start() {
  const clock = createFakeClock(1000);
  const outcomes: string[] = [];
  let waiting: PromiseWithResolvers<void>[] = [];
  let count = 0;
  const credentials = createTokenCredentials({
    clock,
    async get() {
      count += 1;
      const one = Promise.withResolvers<void>();
      waiting.push(one);
      const accessToken = `t${count}`;
      await one.promise;
      return { accessToken, gotAtMs: clock.now(), endsAtMs: clock.now() + 100_000 };
    },
    onRefresh: (outcome) => void outcomes.push(outcome),
  });
  const give = (error?: Error) => {
    for (const one of waiting)
      if (error) one.reject(error);
      else one.resolve();
    waiting = [];
  };
  return { clock, credentials, outcomes, give, asked: () => count };
}

it('asks once for all who wait', async () => {
  const { credentials, give, asked } = start();
  const all = [1, 2, 3].map(async () => await credentials.prepare());
  give();
  await Promise.all(all);
  expect([asked(), credentials.headers]).toEqual([1, { authorization: 'Bearer t1' }]);
  expect(credentials.prepare()).toBeUndefined();
});

it('gets another one ahead of the end, and nobody waits for it', async () => {
  const { credentials, clock, give, asked, outcomes } = start();
  const first = credentials.prepare();
  give();
  await first;
  clock.advance(69_000);
  expect([credentials.prepare(), asked()]).toEqual([undefined, 1]);
  clock.advance(12_000);
  expect([credentials.prepare(), asked()]).toEqual([undefined, 2]);
  give(new Error('down'));
  await new Promise(setImmediate);
  expect([credentials.prepare(), asked(), outcomes]).toEqual([undefined, 2, ['ok', 'error']]);
  clock.advance(6000);
  expect([credentials.prepare(), asked()]).toEqual([undefined, 3]);
  give();
  await new Promise(setImmediate);
  expect(credentials.headers).toEqual({ authorization: 'Bearer t3' });
  clock.advance(101_000);
  const late = credentials.prepare();
  give();
  await late;
  expect(credentials.headers).toEqual({ authorization: 'Bearer t4' });
});

it('tries another one when one is refused, and gives up when that was new', async () => {
  const { credentials, clock, give } = start();
  const first = credentials.prepare();
  give();
  await first;
  expect(await credentials.refused('Bearer')).toBe(false);
  clock.advance(10_000);
  const again = credentials.refused('Bearer error="invalid_token"');
  give();
  expect(await again).toBe(true);
  expect(credentials.headers).toEqual({ authorization: 'Bearer t2' });
});
