import { expect, test } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import { waitForRoom } from './wait-for-room.ts';

async function pass(clock: ReturnType<typeof createFakeClock>, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 20) {
    clock.advance(20);
    await Promise.resolve();
    await Promise.resolve();
  }
}

test('waits until there is room', async () => {
  const clock = createFakeClock();
  let isFull = true;
  let isDone = false;
  const waiting = waitForRoom(() => isFull, clock).then(() => (isDone = true));
  await pass(clock, 5000);
  expect(isDone).toBe(false);
  isFull = false;
  await pass(clock, 40);
  await waiting;
  expect(isDone).toBe(true);
});

test('gives up after ten seconds, and says why', async () => {
  const clock = createFakeClock();
  const [failure] = await Promise.all([
    waitForRoom(() => true, clock).catch((error: unknown) => error),
    pass(clock, 10_100),
  ]);
  expect(failure).toMatchObject({ code: 'OVERLOADED' });
});
