/** What waits for one exporter: bounded, in batches, never in the way of a call. */

import type { Clock } from '../kernel/clock.ts';
import type { ExportBatch, ExporterFeed, MetricsSnapshot } from '../kernel/exporter.ts';
import type { FinishedCall } from '../kernel/observations.ts';

export interface ExportFeed {
  readonly feed: ExporterFeed;
  /** Takes a call; one too many is counted and dropped. */
  push(call: FinishedCall): void;
  /** Takes the metrics of now, in place of those that nobody has fetched yet. */
  snapshot(metrics: MetricsSnapshot): void;
  /** The feed ends after what is left. */
  end(): void;
  /** Calls dropped so far. */
  readonly dropped: number;
}

const maxWaiting = 10_000;
const maxBatch = 500;
/** Calls wait so long for others to go with them, milliseconds. */
const gatherMs = 1000;

export function createExportFeed(clock: Clock): ExportFeed {
  let waiting: FinishedCall[] = [];
  let metrics: MetricsSnapshot | undefined;
  let dropped = 0;
  let toldDropped = 0;
  let hasEnded = false;
  let isDue = false;
  let cancelTimer: (() => void) | undefined;
  let reader: PromiseWithResolvers<IteratorResult<ExportBatch>> | undefined;

  const isReady = () => metrics !== undefined || waiting.length >= maxBatch || (isDue && waiting.length > 0);

  function take(): ExportBatch {
    const calls = waiting.splice(0, maxBatch);
    const batch = {
      at: new Date(clock.now()).toISOString(),
      calls,
      droppedCalls: dropped - toldDropped,
      metrics,
    };
    toldDropped = dropped;
    metrics = undefined;
    isDue = waiting.length > 0 && isDue;
    return batch;
  }

  function next(): Promise<IteratorResult<ExportBatch>> {
    const isLeft = waiting.length > 0 || metrics !== undefined || dropped > toldDropped;
    if (isReady() || (hasEnded && isLeft)) return Promise.resolve({ done: false, value: take() });
    if (hasEnded) return Promise.resolve({ done: true, value: undefined });
    reader ??= Promise.withResolvers();
    return reader.promise;
  }

  /** Whoever waits is given what there is. */
  function serve(): void {
    if (!reader || !(hasEnded || isReady())) return;
    const served = reader;
    reader = undefined;
    void next().then(served.resolve);
  }

  function gather(): void {
    cancelTimer ??= clock.after(gatherMs, () => {
      cancelTimer = undefined;
      isDue = true;
      serve();
    });
  }

  function end(): void {
    hasEnded = true;
    cancelTimer?.();
    serve();
  }

  return {
    feed: {
      [Symbol.asyncIterator]: () => ({
        next,
        async return() {
          end();
          waiting = [];
          return { done: true, value: undefined };
        },
      }),
    },
    push(call) {
      if (hasEnded) return;
      if (waiting.length >= maxWaiting) {
        dropped += 1;
        return;
      }
      waiting.push(call);
      if (waiting.length === 1) gather();
      else if (waiting.length === maxBatch) serve();
    },
    snapshot(fresh) {
      if (hasEnded) return;
      metrics = fresh;
      serve();
    },
    end,
    get dropped() {
      return dropped;
    },
  };
}
