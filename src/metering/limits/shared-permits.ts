/**
 * Buckets that several coordinators count in together. Each takes permits from the common source a few at a time and
 * spends them by itself, so that few calls wait for the network. Permits that are not spent within `leaseMs` go back.
 */

import type { Clock } from '../../kernel/clock.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { type Bucket, type MonthBucket, type Policy, unknown } from './buckets.ts';
import type { Calendar } from './calendar.ts';
import type { PermitSource, SharedBucketName } from './redis-permits.ts';

/** Permits are spent within this time or given back, milliseconds. */
export const leaseMs = 1000;
/** How often a source that is away is looked for, milliseconds. */
const probeMs = 1000;

/** Most permits that a coordinator holds of one bucket: so many more than the limit may come at once, for each of them. */
export function mostLeased({ window, limit, burst }: Pick<Policy, 'window' | 'limit' | 'burst'>): number {
  const share = window === 'month' ? Math.min(limit / 100, 100) : Math.min(burst / 10, 1000);
  return Math.max(1, Math.floor(share));
}

export interface SharedPermits extends AsyncDisposable {
  readonly isAway: boolean;
  /** Adds the common count to a bucket of this coordinator, which goes on counting for itself. */
  share(local: Bucket): Bucket;
}

export function createSharedPermits(parts: {
  readonly source: PermitSource;
  readonly onFailure: 'allow' | 'block';
  readonly calendar: Calendar;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears when the source goes away, and when it is back. */
  readonly onAway?: ((isAway: boolean) => void) | undefined;
}): SharedPermits {
  const { source, onFailure, calendar, clock, logger, onAway } = parts;
  const holders = new Set<Holder>();
  const asking = new Set<Promise<void>>();
  let isAway = false;
  let isClosed = false;
  let cancelProbe = () => {};
  let cancelReturn = () => {};

  interface Holder {
    giveBack(): Promise<void>;
    readonly isExpired: boolean;
  }

  function lose(error: unknown): void {
    if (isAway || isClosed) return;
    isAway = true;
    onAway?.(true);
    const problem = messageOf(error);
    const until = onFailure === 'allow' ? 'limits are counted here alone' : 'limited calls are refused';
    logger.warn({ problem, onFailure }, `the shared limits cannot be reached; ${until} until they can`);
    probeOn();
  }

  async function probe(): Promise<void> {
    try {
      await source.ping();
    } catch {
      if (!isClosed) probeOn();
      return;
    }
    if (isClosed) return;
    isAway = false;
    onAway?.(false);
    logger.info({}, 'the shared limits can be reached again');
  }

  function probeOn(): void {
    cancelProbe = clock.after(probeMs, () => void probe());
  }

  function returnOn(): void {
    cancelReturn = clock.after(leaseMs / 4, () => {
      for (const holder of holders) if (holder.isExpired) void holder.giveBack();
      returnOn();
    });
  }
  returnOn();

  source.ping().then(() => onAway?.(false), lose);

  function nameOf({ key, policy }: Bucket): SharedBucketName {
    const { window, limit, burst } = policy;
    if (window === 'month')
      return { key, shape: { kind: 'month', month: calendar.month, limit, endsAtMs: calendar.endsAtMs } };
    const intervalMs = (window === 'second' ? 1000 : 3_600_000) / limit;
    return { key, shape: { kind: 'rate', intervalMs, burst } };
  }

  function share(local: Bucket): Bucket {
    const month = 'used' in local ? (local as MonthBucket) : undefined;
    let left = 0;
    let leasedAs = nameOf(local);
    let leasedAtMs = 0;
    let rest = Infinity;
    let wanted = 1;
    /** Refused until then, and not asked again before `askAgainMs`; of the clock that never jumps. */
    let refusedUntilMs = 0;
    let askAgainMs = 0;
    /** Let through while nobody answered. */
    let missed = 0;
    let filling: Promise<void> | undefined;

    /** Too old to be spent, or of a month that is over. */
    function isOver(elapsedMs: number): boolean {
      if (elapsedMs - leasedAtMs >= leaseMs) return true;
      return leasedAs.shape.kind === 'month' && leasedAs.shape.month !== calendar.month;
    }
    const holder: Holder = {
      get isExpired() {
        return isOver(clock.elapsed());
      },
      async giveBack() {
        const count = left;
        left = 0;
        holders.delete(holder);
        wanted = Math.max(1, wanted >> 1);
        if (count === 0 || isAway) return;
        try {
          await source.giveBack(leasedAs, count);
        } catch (error) {
          lose(error);
        }
      },
    };

    async function fill(isLook: boolean): Promise<void> {
      if (isAway) {
        if (isLook || onFailure === 'allow') return;
        throw new AppError('LIMITS_UNAVAILABLE', { problem: 'what counts them does not answer' });
      }
      calendar.look(clock.now());
      if (left > 0 && isOver(clock.elapsed())) await holder.giveBack();
      const name = nameOf(local);
      const told = missed;
      const want = isLook ? 0 : Math.max(1, Math.min(wanted, mostLeased(local.policy)) - left);
      try {
        const lease = await source.lease(name, want, told, month?.used ?? 0);
        missed -= told;
        ({ rest } = lease);
        if (!isLook) receive(lease.granted, name, lease.waitMs);
      } catch (error) {
        lose(error);
        if (!isLook && onFailure === 'block')
          throw new AppError('LIMITS_UNAVAILABLE', { problem: 'what counts them does not answer' });
      }
    }

    function receive(granted: number, name: SharedBucketName, waitMs: number | undefined): void {
      const nowMs = clock.elapsed();
      if (granted > 0) {
        if (left === 0) leasedAtMs = nowMs;
        left += granted;
        leasedAs = name;
        wanted = Math.min(wanted * 2, mostLeased(local.policy));
        holders.add(holder);
      } else if (left === 0) {
        const longMs = waitMs ?? Math.max(1, calendar.endsAtMs - clock.now());
        refusedUntilMs = nowMs + longMs;
        // Others may give back what they do not need.
        askAgainMs = nowMs + Math.min(longMs, leaseMs);
      }
    }

    function ask(): Promise<void> {
      if (!filling) {
        const running = fill(false).finally(() => {
          filling = undefined;
          asking.delete(running);
        });
        filling = running;
        asking.add(running);
      }
      return filling;
    }

    return {
      key: local.key,
      owner: local.owner,
      get policy() {
        return local.policy;
      },
      set policy(policy) {
        local.policy = policy;
      },
      waitMs(at) {
        if (isAway) return onFailure === 'allow' ? local.waitMs(at) : unknown;
        if (month) calendar.look(at.nowMs);
        if (left > 0 && !isOver(at.elapsedMs)) return 0;
        return at.elapsedMs < askAgainMs ? Math.max(1, refusedUntilMs - at.elapsedMs) : unknown;
      },
      take(at) {
        local.take(at);
        if (isAway) {
          missed += month ? 1 : 0;
          return;
        }
        left -= 1;
        if (left === 0) holders.delete(holder);
        // The next ones are there before these are spent.
        else if (left * 2 < wanted && !filling) ask().catch(() => {});
      },
      leave() {},
      ask,
      look: () => fill(true),
      standing(at) {
        const own = local.standing(at);
        return isAway ? own : { ...own, remaining: Math.min(own.remaining, Math.max(0, rest + left)) };
      },
      isIdle: (at) => left === 0 && missed === 0 && !filling && local.isIdle(at),
    };
  }

  return {
    get isAway() {
      return isAway;
    },
    share,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      cancelProbe();
      cancelReturn();
      await Promise.allSettled(asking);
      await Promise.all([...holders].map((holder) => holder.giveBack()));
      await source[Symbol.asyncDispose]();
    },
  };
}
