/** One shape for what carries metrics and finished calls elsewhere, built in or of a plugin. */

import type { z } from 'zod';
import type { FinishedCall } from './observations.ts';

/** One number of a metric, with its labels; `suffix` tells the parts of a histogram apart. */
export interface Reading {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

/** Metrics by full name, as they were at one moment. */
export type MetricsSnapshot = Readonly<Record<string, readonly Reading[]>>;

export interface ExportBatch {
  /** When it was handed over, ISO 8601. */
  readonly at: string;
  /** Calls that ended since the batch before, oldest first; at most 500. */
  readonly calls: readonly FinishedCall[];
  /** Calls since the batch before that are left out because the exporter was slow. */
  readonly droppedCalls: number;
  /** Now and then; as often as the config says. */
  readonly metrics?: MetricsSnapshot | undefined;
}

/** Batches until the coordinator stops; the last one has what is left. For one reader. */
export type ExporterFeed = AsyncIterable<ExportBatch>;

export interface ExporterDefinition<Settings = unknown> {
  /** kebab-case. */
  readonly name: string;
  /** Shape of its `settings` in the config. */
  readonly settings?: z.ZodType<Settings>;
  /**
   * Reads the feed to its end. `signal` is aborted when the coordinator waits no longer for that. What it throws is
   * logged, and ends it.
   */
  readonly start: (feed: ExporterFeed, settings: Settings, signal: AbortSignal) => Promise<void>;
}
