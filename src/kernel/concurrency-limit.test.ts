import { describe, expect, it } from 'vitest';
import { createConcurrencyLimit } from './concurrency-limit.ts';

describe('createConcurrencyLimit', () => {
  it('never runs more than its size, and runs all in order', async () => {
    const limit = createConcurrencyLimit(2, 100);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        limit.run(async () => {
          running++;
          most = Math.max(most, running);
          order.push(index);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
        }),
      ),
    );
    expect(most).toBe(2);
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it('gives the place on after a failure, and refuses when too many wait', async () => {
    const limit = createConcurrencyLimit(1, 1);
    const blocker = Promise.withResolvers<void>();
    const first = limit.run(() => blocker.promise);
    const second = limit.run(() => Promise.resolve('second'));
    await expect(limit.run(() => Promise.resolve())).rejects.toMatchObject({ code: 'OVERLOADED' });
    blocker.reject(new Error('failed'));
    await expect(first).rejects.toThrow('failed');
    await expect(second).resolves.toBe('second');
    await expect(limit.run(() => Promise.resolve('third'))).resolves.toBe('third');
  });

  it('lets a waiting task be cancelled without losing a place', async () => {
    const limit = createConcurrencyLimit(1, 5);
    const blocker = Promise.withResolvers<void>();
    const first = limit.run(() => blocker.promise);
    const controller = new AbortController();
    const second = limit.run(() => Promise.resolve('never'), controller.signal);
    const third = limit.run(() => Promise.resolve('third'));
    controller.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    await expect(limit.run(() => Promise.resolve(), controller.signal)).rejects.toThrow('gone');
    blocker.resolve();
    await first;
    await expect(third).resolves.toBe('third');
  });
});
