/** Starts the exporters of the config, feeds them, and lets them finish at the end. */

import type { Clock } from '../kernel/clock.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { ExporterDefinition, MetricsSnapshot } from '../kernel/exporter.ts';
import type { Logger } from '../kernel/log.ts';
import type { FinishedCall } from '../kernel/observations.ts';
import { createExportFeed, type ExportFeed } from './export-feed.ts';

/** An exporter as the config names it. */
export interface ExporterConfig {
  readonly use: string;
  readonly settings?: unknown;
  /** Time between two snapshots of the metrics, milliseconds. */
  readonly intervalMs: number;
}

export interface Exporters extends AsyncDisposable {
  /** Hands a finished call to each. */
  push(call: FinishedCall): void;
}

export interface ExportersOptions {
  readonly config: readonly ExporterConfig[];
  /** By the names that the config uses. */
  readonly known: ReadonlyMap<string, ExporterDefinition>;
  readonly snapshot: () => Promise<MetricsSnapshot>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** At the end they get so long to write what is left, milliseconds. */
  readonly flushMs: number;
}

/** Throws CONFIG_INVALID for an exporter that is not known or does not take its settings; nothing is started then. */
export function startExporters(options: ExportersOptions): Exporters {
  const { clock, logger } = options;
  const prepared = options.config.map((entry, at) => prepare(entry, `exporters.${at}`, options.known));
  const stop = new AbortController();
  const feeds = new Set<ExportFeed>();
  const cancels = new Set<() => void>();

  async function run({ definition, settings, entry }: Prepared): Promise<void> {
    const feed = createExportFeed(clock);
    feeds.add(feed);
    const exporter = entry.use;
    const cancel = every(entry.intervalMs, clock, async () => feed.snapshot(await options.snapshot()));
    cancels.add(cancel);
    try {
      await definition.start(feed.feed, settings, stop.signal);
    } catch (error) {
      logger.error({ exporter, problem: messageOf(error) }, 'an exporter failed and gets no more');
    }
    cancel();
    feed.end();
    feeds.delete(feed);
    if (feed.dropped > 0)
      logger.warn(
        { exporter, calls: feed.dropped },
        'an exporter was slow: calls are missing in what it wrote',
      );
  }

  const running = prepared.map(run);
  return {
    push(call) {
      for (const feed of feeds) feed.push(call);
    },
    async [Symbol.asyncDispose]() {
      for (const cancel of cancels) cancel();
      for (const feed of feeds) feed.end();
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(options.flushMs, () => {
        stop.abort();
        logger.warn({}, 'exporters did not finish in time: what they had left is lost');
        resolve();
      });
      await Promise.race([Promise.all(running), late]);
      cancel();
    },
  };
}

interface Prepared {
  readonly entry: ExporterConfig;
  readonly definition: ExporterDefinition;
  readonly settings: unknown;
}

function prepare(entry: ExporterConfig, field: string, known: ExportersOptions['known']): Prepared {
  const definition = known.get(entry.use);
  if (!definition) {
    const problem = `${field}.use: "${entry.use}" is not one of ${[...known.keys()].join(', ')}; is its plugin in \`plugins\`?`;
    throw new AppError('CONFIG_INVALID', { file: 'config', problem });
  }
  const parsed = definition.settings?.safeParse(entry.settings ?? {});
  if (parsed && !parsed.success) {
    const [issue] = parsed.error.issues;
    const where = [`${field}.settings`, ...(issue?.path ?? [])].join('.');
    throw new AppError('CONFIG_INVALID', {
      file: 'config',
      problem: `${where}: ${issue?.message ?? 'is invalid'}`,
    });
  }
  return { entry, definition, settings: parsed ? parsed.data : entry.settings };
}

/** Runs a task again and again, the next time only after it has ended; what fails is tried again. */
function every(intervalMs: number, clock: Clock, task: () => Promise<void>): () => void {
  let cancel = clock.after(intervalMs, () => void run());
  let isOver = false;
  async function run(): Promise<void> {
    await task().catch(() => {});
    if (!isOver) cancel = clock.after(intervalMs, () => void run());
  }
  return () => {
    isOver = true;
    cancel();
  };
}
