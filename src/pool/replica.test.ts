import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Connection } from '../transport/connection.ts';
import { backoffMs } from './backoff.ts';
import { createReplica, type ReplicaOptions } from './replica.ts';

/** Connections made by hand: each `open` waits until the test lets it succeed or fail. */
function setUp(change: Partial<ReplicaOptions> = {}) {
  const clock = createFakeClock();
  const opened: { events: Parameters<ReplicaOptions['open']>[0]; done: PromiseWithResolvers<Connection> }[] =
    [];
  let closed = 0;
  const connection = () =>
    ({ era: 'modern', close: async () => void (closed += 1) }) as unknown as Connection;
  const replica = createReplica({
    server: 's',
    lazy: false,
    clock,
    backoff: { baseMs: 100, capMs: 1000 },
    open: (events) => {
      const done = Promise.withResolvers<Connection>();
      opened.push({ events, done });
      return done.promise;
    },
    onOpen: async () => {},
    onNotification() {},
    onChange() {},
    ...change,
  });
  return { clock, opened, replica, connection, closed: () => closed };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('replica', () => {
  it('opens once for all who wait', async () => {
    const { opened, replica, connection } = setUp();
    const waiting = [replica.acquire(), replica.acquire(), replica.acquire()];
    expect(opened).toHaveLength(1);
    opened[0]?.done.resolve(connection());
    expect(new Set(await Promise.all(waiting)).size).toBe(1);
    expect(replica.state).toBe('ready');
  });

  it('waits longer each time it is at fault, whatever it answered, and not at all longer when a neighbour is', async () => {
    const { clock, opened, replica, connection } = setUp();
    async function breakWith(data: object): Promise<void> {
      const { events, done } = opened.at(-1)!;
      done.resolve(connection());
      await settled();
      replica.prove();
      events.onClose(new AppError('UPSTREAM_FAILED', { server: 's', problem: 'gone', ...data }));
    }
    void replica.acquire();
    for (let round = 0; round < 5; round += 1) {
      await breakWith({ innocent: true });
      clock.advance(100);
      expect(opened).toHaveLength(round + 2);
    }
    await breakWith({ atFault: true });
    clock.advance(100);
    await breakWith({ atFault: true });
    clock.advance(200);
    await breakWith({ atFault: true });
    expect(opened).toHaveLength(8);
    // The third step is 400, half of it fixed.
    clock.advance(199);
    expect(opened).toHaveLength(8);
    clock.advance(201);
    expect(opened).toHaveLength(9);
  });

  it('comes back after a break, later each time it fails, and tells callers why meanwhile', async () => {
    const { clock, opened, replica, connection } = setUp({ backoff: { baseMs: 4000, capMs: 40_000 } });
    const first = replica.acquire();
    opened[0]?.done.resolve(connection());
    await first;
    opened[0]?.events.onClose(new Error('it crashed'));
    expect([replica.state, replica.isReviving]).toEqual(['waiting', true]);
    // While calls wait for it, each second.
    for (let tries = 1; tries <= 5; tries += 1) {
      expect(opened).toHaveLength(tries);
      clock.advance(1000);
      expect(opened).toHaveLength(tries + 1);
      opened[tries]?.done.reject(new Error('still down'));
      await settled();
    }
    clock.advance(1);
    await expect(replica.acquire()).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: expect.stringContaining('still down'),
    });
    clock.advance(1998);
    expect(opened).toHaveLength(6);
    clock.advance(2001);
    expect(opened).toHaveLength(7);
    opened[6]?.done.resolve(connection());
    await settled();
    expect(replica.state).toBe('ready');
    expect(replica.restarts).toBe(6);
  });

  it('lets calls wait for it for five seconds after a break, whatever the first tries to come back do', async () => {
    const { clock, opened, replica, connection } = setUp();
    const first = replica.acquire();
    opened[0]?.done.resolve(connection());
    await first;
    opened[0]?.events.onClose(new Error('it crashed'));
    const served = replica.acquire();
    clock.advance(101);
    opened[1]?.done.reject(new Error('port still taken'));
    await settled();
    clock.advance(202);
    const back = connection();
    opened[2]?.done.resolve(back);
    expect(await served).toBe(back);

    opened[2]?.events.onClose(new Error('again'));
    const waiting = replica.acquire().catch((error: unknown) => error);
    for (let n = 3; replica.isReviving; n += 1) {
      clock.advance(1001);
      opened[n]?.done.reject(new Error('gone for good'));
      await settled();
    }
    expect(await waiting).toMatchObject({ message: expect.stringContaining('gone for good') });
    expect(clock.now()).toBeLessThan(7000);
  });

  it('opens anew a connection that is of no use, the old one closed first', async () => {
    const { clock, opened, replica, connection, closed } = setUp();
    const first = replica.acquire();
    opened[0]?.done.resolve(connection());
    await first;
    replica.restart('it hangs');
    expect([replica.state, replica.reason, closed()]).toEqual(['waiting', 'it hangs', 1]);
    await settled();
    clock.advance(101);
    opened[1]?.done.resolve(connection());
    await settled();
    expect(replica.state).toBe('ready');
  });

  it('sleeps after a break when lazy, and wakes for the next call', async () => {
    const { clock, opened, replica, connection } = setUp({ lazy: true });
    expect(replica.state).toBe('sleeping');
    const first = replica.acquire();
    opened[0]?.done.resolve(connection());
    await first;
    opened[0]?.events.onClose(new Error('gone'));
    clock.advance(60_000);
    expect(opened).toHaveLength(1);
    const second = replica.acquire();
    opened[1]?.done.resolve(connection());
    await second;
    expect(replica.state).toBe('ready');
  });

  it('closes what opens after a stop', async () => {
    const { opened, replica, connection, closed } = setUp();
    const call = replica.acquire();
    const stop = replica.stop();
    opened[0]?.done.resolve(connection());
    await expect(call).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await stop;
    expect(replica.state).toBe('stopped');
    expect(closed()).toBe(1);
  });

  it('does not take a connection that broke while it was being set up', async () => {
    const { opened, replica, connection, closed } = setUp();
    const call = replica.acquire();
    opened[0]?.events.onClose(new Error('died at once'));
    opened[0]?.done.resolve(connection());
    await expect(call).rejects.toThrow(/died at once/);
    expect(replica.state).toBe('waiting');
    expect(closed()).toBe(1);
  });
});

describe('backoffMs', () => {
  it('grows to its cap, half of it drawn', () => {
    const options = { baseMs: 100, capMs: 1000 };
    expect(backoffMs(0, options, () => 0)).toBe(50);
    expect(backoffMs(0, options, (max) => max - 1)).toBe(100);
    expect(backoffMs(3, options, () => 0)).toBe(400);
    expect(backoffMs(50, options, (max) => max - 1)).toBe(1000);
  });
});
