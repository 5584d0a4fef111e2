/** Wrong keys by the address that showed them: whoever guesses is soon not listened to any more. */

import { isIPv6 } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { OnLimited } from '../../kernel/rate-limits.ts';

export interface FailedKeys {
  /** Throws RATE_LIMITED when an address has shown too many. */
  check(address: string): void;
  note(address: string): void;
  /** Addresses that are remembered. */
  readonly size: number;
}

export interface FailedKeysOptions {
  /** 0 for any number. */
  readonly perMinute: number;
  /** At once after a pause. */
  readonly burst: number;
  readonly exempt: readonly string[];
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly onLimited?: OnLimited | undefined;
  /** Most addresses that are remembered; the one that was quiet longest is forgotten first. */
  readonly maxAddresses?: number;
}

const minuteMs = 60_000;

/** IPv4 also as part of IPv6; of IPv6 the network, of which whoever has one address has all others. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [bare = ''] = address.split('%');
  if (!isIPv6(bare)) return address;
  const [head = '', tail] = bare.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

export function createFailedKeys(options: FailedKeysOptions): FailedKeys {
  const { perMinute, burst, clock, onLimited, maxAddresses = 10_000 } = options;
  const exempt = new Set(options.exempt.map(networkOf));
  const intervalMs = minuteMs / perMinute;
  /** When all of an address's attempts are there again, by address; the one that failed last is at the end. */
  const fullAt = new Map<string, number>();

  return {
    get size() {
      return fullAt.size;
    },
    check(address) {
      if (perMinute === 0 || fullAt.size === 0) return;
      const fullAtMs = fullAt.get(networkOf(address));
      if (fullAtMs === undefined) return;
      const retryAfterMs = Math.ceil(fullAtMs + intervalMs - burst * intervalMs - clock.elapsed());
      if (retryAfterMs <= 0) return;
      onLimited?.('address', 'minute');
      throw new AppError('RATE_LIMITED', {
        rule: 'failedKeys',
        allowed: `${perMinute} wrong keys a minute`,
        per: 'address',
        window: 'minute',
        limit: perMinute,
        burst,
        remaining: 0,
        retryAfterMs,
      });
    },
    note(address) {
      const network = networkOf(address);
      if (perMinute === 0 || exempt.has(network)) return;
      const now = clock.elapsed();
      const next = Math.max(fullAt.get(network) ?? 0, now) + intervalMs;
      fullAt.delete(network);
      fullAt.set(network, next);
      for (const [other, fullAtMs] of fullAt) {
        if (fullAt.size <= maxAddresses && fullAtMs > now) break;
        fullAt.delete(other);
      }
    },
  };
}
