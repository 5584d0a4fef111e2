import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import { createFailedKeys, type FailedKeysOptions, networkOf } from './failed-keys.ts';

function setUp(options: Partial<FailedKeysOptions> = {}) {
  const clock = createFakeClock();
  const failed = createFailedKeys({ perMinute: 60, burst: 3, exempt: [], clock, ...options });
  const isHeard = (address: string): boolean => {
    try {
      failed.check(address);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'RATE_LIMITED', data: { per: 'address', retryAfterMs: 1000 } });
      return false;
    }
  };
  const fail = (address: string, times: number) => {
    for (let n = 0; n < times; n += 1) failed.note(address);
  };
  return { clock, failed, isHeard, fail };
}

it('listens to an address until it has shown too many wrong keys, and again after a while', () => {
  const { clock, isHeard, fail } = setUp();
  fail('192.0.2.1', 2);
  expect(isHeard('192.0.2.1')).toBe(true);
  fail('192.0.2.1', 1);
  expect([isHeard('192.0.2.1'), isHeard('::ffff:192.0.2.1'), isHeard('192.0.2.2')]).toEqual([
    false,
    false,
    true,
  ]);
  clock.advance(1000);
  expect(isHeard('192.0.2.1')).toBe(true);
});

it('leaves out addresses that are exempt, and all of them where any number is allowed', () => {
  const exempt = setUp({ exempt: ['192.0.2.1'] });
  exempt.fail('192.0.2.1', 9);
  expect(exempt.isHeard('192.0.2.1')).toBe(true);
  const any = setUp({ perMinute: 0 });
  any.fail('192.0.2.1', 9);
  expect(any.isHeard('192.0.2.1')).toBe(true);
});

it('remembers so many addresses and no more', () => {
  const { failed, fail, isHeard } = setUp({ maxAddresses: 100 });
  for (let n = 0; n < 1000; n += 1) fail(`10.0.${n >> 8}.${n & 255}`, 3);
  expect(failed.size).toBe(100);
  expect(isHeard('10.0.3.231')).toBe(false);
});

it.each([
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
  ['', ''],
])('counts %s as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it('takes any address of a network for the same', () => {
  const group = fc.integer({ min: 0, max: 65_535 }).map((part) => part.toString(16));
  fc.assert(
    fc.property(
      fc.array(group, { minLength: 8, maxLength: 8 }),
      fc.array(group, { minLength: 4, maxLength: 4 }),
      (one, tail) => {
        const sibling = [...one.slice(0, 4), ...tail].join(':');
        expect(networkOf(sibling)).toBe(networkOf(one.join(':')));
      },
    ),
  );
});
