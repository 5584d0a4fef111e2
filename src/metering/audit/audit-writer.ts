/**
 * Takes events on the call's way and writes them behind it, in batches. What cannot be written waits and is tried again;
 * what there is no room for is counted, and the log says so itself once it can be written again.
 */

import { setImmediate } from 'node:timers/promises';
import type { AuditEvent, AuditTrail } from '../../kernel/audit.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { AuditRecords } from '../../store/audit-records.ts';
import { chainRecords, type PreparedRecord, type PrepareOptions, prepareRecord } from './encode-record.ts';

export interface AuditWriterOptions extends PrepareOptions {
  readonly records: Pick<AuditRecords, 'append'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** While the store cannot be written: refuse calls, or let them go on. */
  readonly onFailure: 'block' | 'allow';
  /** Hears what was written. */
  readonly onWritten?:
    | ((tenant: string, head: { seq: number; hash: string }, count: number) => void)
    | undefined;
  /** Records that wait at most; 10,000 unless said. */
  readonly maxQueued?: number;
}

export interface AuditFigures {
  /** Records written by this process. */
  readonly written: number;
  readonly lost: number;
  readonly queued: number;
}

export interface AuditWriter extends AuditTrail, AsyncDisposable {
  readonly figures: AuditFigures;
  /** Resolves when all that was noted is written. Rejects with what keeps it from that. */
  flush(): Promise<void>;
}

const flushMs = 50;
const batchSize = 500;
const firstRetryMs = 250;
const longestRetryMs = 5000;

/** From the first thing that went wrong until the log has said so. */
interface Trouble {
  readonly sinceMs: number;
  problem: string;
  lost: number;
  refused: number;
}

const crowded = 'too many records wait to be written';

export function createAuditWriter(options: AuditWriterOptions): AuditWriter {
  const { records, clock, logger, onFailure, maxQueued = 10_000 } = options;
  let fresh: AuditEvent[] = [];
  let waiting: PreparedRecord[] = [];
  let written = 0;
  let lost = 0;
  let trouble: Trouble | undefined;
  let isFailing = false;
  let retryMs = 0;
  let cancelTimer: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let isClosed = false;

  const queued = (): number => fresh.length + waiting.length;

  function noteTrouble(problem: string): Trouble {
    trouble ??= { sinceMs: clock.now(), problem, lost: 0, refused: 0 };
    return trouble;
  }

  function drop(): void {
    lost += 1;
    noteTrouble(crowded).lost += 1;
  }

  /** Frees the arguments: what waits is small. */
  function prepare(): void {
    const events = fresh;
    fresh = [];
    for (const event of events) {
      if (waiting.length < maxQueued) waiting.push(prepareRecord(event, options));
      else drop();
    }
  }

  /** The first ones, as long as they are of one tenant: each keeps its order. */
  function takeBatch(): PreparedRecord[] {
    const tenant = waiting[0]?.tenant;
    const batch = waiting.slice(0, batchSize);
    const other = batch.findIndex((record) => record.tenant !== tenant);
    return other < 0 ? batch : batch.slice(0, other);
  }

  async function drain(): Promise<void> {
    for (prepare(); waiting.length > 0; prepare()) {
      const batch = takeBatch();
      const { tenant } = batch[0]!;
      try {
        const head = await records.append(tenant, (end) => chainRecords(end, batch));
        waiting = waiting.slice(batch.length);
        written += batch.length;
        options.onWritten?.(tenant, head, batch.length);
      } catch (error) {
        fail(messageOf(error));
        throw error;
      }
      isFailing = false;
      if (trouble) tell(trouble);
      // Calls get their turn between two batches.
      if (waiting.length > 0) await setImmediate();
    }
  }

  function fail(problem: string): void {
    if (!isFailing) logger.error({ problem, onFailure }, 'the audit log cannot be written');
    retryMs = isFailing ? Math.min(retryMs * 2, longestRetryMs) : firstRetryMs;
    isFailing = true;
    noteTrouble(problem).problem = problem;
  }

  /** The log says itself what is missing from it. */
  function tell({ sinceMs, problem, lost: gone, refused }: Trouble): void {
    trouble = undefined;
    const details = { problem, since: new Date(sinceMs).toISOString(), lost: gone, refused };
    logger.warn(details, 'the audit log is written again');
    const nowMs = clock.now();
    const about = { way: 'coordinator', action: 'audit gap', target: 'audit', outcome: 'error' } as const;
    fresh.push({ ...about, atMs: nowMs, latencyMs: nowMs - sinceMs, details });
  }

  async function flush(): Promise<void> {
    cancelTimer?.();
    cancelTimer = undefined;
    do {
      running ??= drain().finally(() => {
        running = undefined;
      });
      await running;
    } while (queued() > 0);
  }

  /** In the background: whoever noted something has gone on. */
  function schedule(delayMs: number): void {
    cancelTimer ??= clock.after(delayMs, () => {
      flush().catch(() => {
        if (!isClosed) schedule(retryMs);
      });
    });
  }

  return {
    get figures() {
      return { written, lost, queued: queued() };
    },
    assertWritable() {
      if (onFailure === 'allow' || (!isFailing && queued() < maxQueued)) return;
      const { problem } = noteTrouble(crowded);
      trouble!.refused += 1;
      throw new AppError('AUDIT_UNAVAILABLE', { problem });
    },
    note(event) {
      if (isClosed) {
        lost += 1;
        return;
      }
      fresh.push(event);
      if (fresh.length >= batchSize) {
        if (isFailing || running) prepare();
        else void flush().catch(() => schedule(retryMs));
      }
      if (!cancelTimer) schedule(isFailing ? retryMs : flushMs);
    },
    flush,
    async [Symbol.asyncDispose]() {
      try {
        // One try that is under way may fail and the next one not.
        await running?.catch(() => {});
        await flush();
      } catch {
        prepare();
        lost += waiting.length;
        logger.error({ lost: waiting.length }, 'stopped with records that the audit log did not take');
        waiting = [];
      } finally {
        isClosed = true;
        cancelTimer?.();
      }
    },
  };
}
