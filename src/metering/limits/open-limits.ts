/** Limits put together: buckets here or shared, monthly counts in the store. */

import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { LimitSettings, OnLimited } from '../../kernel/rate-limits.ts';
import type { MonthlyUses } from '../../store/monthly-uses.ts';
import { createBucketTable } from './bucket-table.ts';
import { type Bucket, createMonthBucket, createPlaces, createRateBucket } from './buckets.ts';
import { createCalendar } from './calendar.ts';
import { createLimits, type Limits } from './limits.ts';
import { openMonthlyCounts } from './monthly-counts.ts';
import { openRedisPermits, type PermitSource } from './redis-permits.ts';
import { createSharedPermits } from './shared-permits.ts';

export interface OpenedLimits extends AsyncDisposable {
  readonly limits: Limits;
  /** Where it is counted now. */
  readonly counting: () => 'here' | 'shared' | 'here-for-now';
  /** Writes monthly counts that are not in the store. */
  flush(): Promise<void>;
}

export interface OpenLimitsOptions {
  readonly settings: LimitSettings;
  readonly uses: Pick<MonthlyUses, 'everyone' | 'add' | 'dropBefore'>;
  /** Where several coordinators count together; each counts for itself without it. */
  readonly redis?:
    | {
        readonly url: string;
        readonly prefix: string;
        readonly timeoutMs: number;
        readonly onFailure: 'allow' | 'block';
      }
    | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onLimited?: OnLimited | undefined;
  readonly onAway?: ((isAway: boolean) => void) | undefined;
}

/** Throws what the store throws. Redis may be away. */
export async function openLimits(options: OpenLimitsOptions): Promise<OpenedLimits> {
  const { settings, uses, redis, clock, logger, onLimited, onAway } = options;
  await using parts = new AsyncDisposableStack();
  const calendar = createCalendar(clock);
  const counts = parts.use(await openMonthlyCounts({ uses, calendar, clock, logger }));
  const source = redis && (await openSource(redis, logger));
  const shared =
    redis && source
      ? parts.use(
          createSharedPermits({ source, onFailure: redis.onFailure, calendar, clock, logger, onAway }),
        )
      : undefined;

  const table = createBucketTable(settings, (key, owner, policy): Bucket => {
    if (policy.window === 'concurrency') return createPlaces(key, owner, policy);
    if (policy.window !== 'month') {
      const bucket = createRateBucket(key, owner, policy);
      return shared ? shared.share(bucket) : bucket;
    }
    const bucket = createMonthBucket(key, owner, policy, calendar, (used) => counts.note(used));
    bucket.add(counts.before(key));
    return shared ? shared.share(bucket) : bucket;
  });
  const limits = parts.use(createLimits({ table, clock, onLimited }));
  const live = parts.move();
  return {
    limits,
    counting: () => (shared === undefined ? 'here' : shared.isAway ? 'here-for-now' : 'shared'),
    flush: () => counts.flush(),
    [Symbol.asyncDispose]: () => live.disposeAsync(),
  };
}

/** How long a start waits for Redis, milliseconds. */
const firstWaitMs = 2000;

async function openSource(
  redis: NonNullable<OpenLimitsOptions['redis']>,
  logger: Logger,
): Promise<PermitSource> {
  const onError = (error: Error): void => logger.debug({ problem: error.message }, 'redis connection failed');
  return await openRedisPermits({ ...redis, firstWaitMs, onError });
}
