import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import { createRelist } from './relist.ts';

function setUp() {
  const clock = createFakeClock();
  const runs: PromiseWithResolvers<void>[] = [];
  const relist = createRelist({
    clock,
    delayMs: 100,
    run() {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      return run.promise;
    },
  });
  return { clock, relist, runs };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('relist', () => {
  it('is not put off by a flood of requests', () => {
    const { clock, relist, runs } = setUp();
    for (let n = 0; n < 50; n += 1) {
      relist.request();
      clock.advance(10);
    }
    expect(runs).toHaveLength(1);
  });

  it('runs one at a time, and once more for what was asked meanwhile', async () => {
    const { clock, relist, runs } = setUp();
    relist.request();
    clock.advance(100);
    for (let n = 0; n < 50; n += 1) relist.request();
    clock.advance(1000);
    expect(runs).toHaveLength(1);
    runs[0]?.resolve();
    await settled();
    // It took 1 s, so the next waits 4 s.
    clock.advance(3999);
    expect(runs).toHaveLength(1);
    clock.advance(1);
    expect(runs).toHaveLength(2);
    runs[1]?.resolve();
    await settled();
    clock.advance(60_000);
    expect(runs).toHaveLength(2);
  });

  it('forgets what was asked when it is cancelled', () => {
    const { clock, relist, runs } = setUp();
    relist.request();
    relist.cancel();
    clock.advance(1000);
    expect(runs).toHaveLength(0);
    relist.request();
    clock.advance(100);
    expect(runs).toHaveLength(1);
  });
});
