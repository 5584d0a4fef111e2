/** Buckets in Redis, by scripts that each look and take in one step. Time is that of Redis, so clocks need not agree. */

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Which bucket, as all coordinators that count together describe it. */
export interface SharedBucketName {
  readonly key: string;
  /** Of a rate: time in which one comes back, and how many fit in; of a month: how many, and until when it is kept. */
  readonly shape:
    | { readonly kind: 'rate'; readonly intervalMs: number; readonly burst: number }
    | { readonly kind: 'month'; readonly month: string; readonly limit: number; readonly endsAtMs: number };
}

export interface Lease {
  readonly granted: number;
  /** What is left for others. */
  readonly rest: number;
  /** Where nothing was granted: until one comes back, milliseconds; undefined where that is the end of the month. */
  readonly waitMs?: number | undefined;
}

/** Rejects when nothing answers in time. */
export interface PermitSource extends AsyncDisposable {
  /**
   * Takes up to `want`; 0 only looks. Of a month: `missed` were let through while nothing answered, and at least `floor`
   * are known to have been.
   */
  lease(name: SharedBucketName, want: number, missed: number, floor: number): Promise<Lease>;
  giveBack(name: SharedBucketName, count: number): Promise<void>;
  ping(): Promise<void>;
}

/** KEYS: bucket. ARGV: interval ms, burst, wanted (below 0: given back). The value is when all of it is there again, ms. */
const rateScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local interval, burst, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then full = now end
local free = math.floor((burst * interval - (full - now)) / interval + 1e-6)
local granted = math.min(want, math.max(free, 0))
if granted ~= 0 then
  full = full + granted * interval
  if full > now then redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now))
  else redis.call('DEL', KEYS[1]) end
end
return {granted, math.max(free - granted, 0), math.ceil(full + interval - burst * interval - now)}
`;

/** KEYS: bucket of a month. ARGV: limit, wanted (below 0: given back), missed, floor, kept until ms. */
const monthScript = `
local limit, want = tonumber(ARGV[1]), tonumber(ARGV[2])
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
local before = used
used = math.max(used + tonumber(ARGV[3]), tonumber(ARGV[4]))
local granted = math.min(want, math.max(limit - used, 0))
used = math.max(used + granted, 0)
if used ~= before then redis.call('SET', KEYS[1], string.format('%.0f', used), 'PXAT', ARGV[5]) end
return {granted, math.max(limit - used, 0)}
`;

/** Counts of a month outlive it by so long, for clocks that are late, milliseconds. */
const afterMonthMs = 86_400_000;

type Script = (key: string, ...values: (string | number)[]) => Promise<number[]>;

/** Connects, and again whenever it has to; commands fail at once where there is no connection. */
export async function openRedisPermits(options: {
  readonly url: string;
  readonly prefix: string;
  readonly timeoutMs: number;
  /** Longest wait for the first connection, milliseconds; it goes on without. */
  readonly firstWaitMs: number;
  /** Hears of connections that fail. */
  readonly onError: (error: Error) => void;
}): Promise<PermitSource> {
  const { Redis: Client } = await import('ioredis');
  const client: Redis = new Client(options.url, {
    commandTimeout: options.timeoutMs,
    connectTimeout: Math.max(options.timeoutMs, 1000),
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(times * 100, 2000),
    scripts: {
      leaseRate: { lua: rateScript, numberOfKeys: 1 },
      leaseMonth: { lua: monthScript, numberOfKeys: 1 },
    },
  });
  client.on('error', options.onError);
  const first = Promise.race([once(client, 'ready'), once(client, 'error')]);
  await Promise.race([first, setTimeout(options.firstWaitMs, undefined, { ref: false })]).catch(() => {});
  const { leaseRate, leaseMonth } = client as unknown as Record<'leaseRate' | 'leaseMonth', Script>;

  async function run({ key, shape }: SharedBucketName, want: number, missed = 0, floor = 0): Promise<Lease> {
    const full = `${options.prefix}:limits:${key}`;
    if (shape.kind === 'rate') {
      const [granted = 0, rest = 0, waitMs = 0] = await leaseRate.call(
        client,
        full,
        shape.intervalMs,
        shape.burst,
        want,
      );
      return { granted, rest, waitMs: Math.max(1, waitMs) };
    }
    const { month, limit, endsAtMs } = shape;
    const keptUntilMs = endsAtMs + afterMonthMs;
    const [granted = 0, rest = 0] = await leaseMonth.call(
      client,
      `${full}:${month}`,
      limit,
      want,
      missed,
      floor,
      keptUntilMs,
    );
    return { granted, rest };
  }

  return {
    lease: run,
    async giveBack(name, count) {
      await run(name, -count);
    },
    async ping() {
      await client.ping();
    },
    async [Symbol.asyncDispose]() {
      client.disconnect();
    },
  };
}
