/** Monthly counts over restarts: read at the start, written in batches in the background. */

import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { MonthlyUses } from '../../store/monthly-uses.ts';
import type { Bucket } from './buckets.ts';
import type { Calendar } from './calendar.ts';

export interface MonthlyCounts extends AsyncDisposable {
  /** What was counted in a bucket before this start. */
  before(key: string): number;
  /** One more. */
  note(bucket: Bucket): void;
  /** Writes what has not been written. */
  flush(): Promise<void>;
}

/** How often counts are written, milliseconds: what is lost when the process is killed. */
export const writeMs = 1000;
/** Months that are kept. */
const keptMonths = 13;

interface Batch {
  readonly month: string;
  readonly tenants: Map<string, Map<string, number>>;
}

/** Throws what the store throws. */
export async function openMonthlyCounts(parts: {
  readonly uses: Pick<MonthlyUses, 'everyone' | 'add' | 'dropBefore'>;
  readonly calendar: Calendar;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<MonthlyCounts> {
  const { uses, calendar, clock, logger } = parts;
  const { month: firstMonth, startsAtMs } = calendar;
  const kept = new Map(await uses.everyone(firstMonth));
  const oldest = new Date(startsAtMs);
  oldest.setUTCMonth(oldest.getUTCMonth() - keptMonths);
  await uses.dropBefore(oldest.toISOString().slice(0, 7));

  let waiting: Batch[] = [];
  let writing = Promise.resolve();
  let isClosed = false;
  let cancel = () => {};

  function batchOf(month: string): Batch {
    let batch = waiting.at(-1);
    if (batch?.month !== month) waiting.push((batch = { month, tenants: new Map() }));
    return batch;
  }

  function count({ tenants }: Batch, tenant: string, key: string, more: number): void {
    let counts = tenants.get(tenant);
    if (!counts) tenants.set(tenant, (counts = new Map()));
    counts.set(key, (counts.get(key) ?? 0) + more);
  }

  async function write(): Promise<void> {
    const batches = waiting;
    waiting = [];
    for (const batch of batches)
      for (const [tenant, counts] of batch.tenants)
        try {
          await uses.add(tenant, batch.month, counts);
        } catch (error) {
          // Kept for the next time; the limits themselves go by what is in memory.
          for (const [key, more] of counts) count(batchOf(batch.month), tenant, key, more);
          logger.warn({ problem: messageOf(error) }, 'monthly counts were not written');
        }
  }

  function flush(): Promise<void> {
    writing = writing.then(write);
    return writing;
  }

  function writeOn(): void {
    cancel = clock.after(writeMs, () => {
      void (waiting.length === 0 ? Promise.resolve() : flush()).finally(() => {
        if (!isClosed) writeOn();
      });
    });
  }
  writeOn();

  return {
    before: (key) => (calendar.month === firstMonth ? (kept.get(key) ?? 0) : 0),
    note({ key, owner }) {
      const { month } = calendar;
      if (month === firstMonth) kept.set(key, (kept.get(key) ?? 0) + 1);
      count(batchOf(month), owner.tenant, key, 1);
    },
    flush,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      cancel();
      await flush();
    },
  };
}
