/** Metrics and exporters put together. Part of the composition root, like `coordinator.ts`. */

import type { PluginParts } from './catalog/load-plugins.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { systemClock } from './kernel/clock.ts';
import type { ExporterDefinition } from './kernel/exporter.ts';
import type { Logger } from './kernel/log.ts';
import type { Meters } from './metrics/create-meters.ts';
import { createMetrics, type Metrics, type MetricsDependencies } from './metrics/create-metrics.ts';
import { createJsonlExporter } from './metrics/exporters/jsonl.ts';
import { startExporters } from './metrics/run-exporters.ts';

export interface OpenMetricsOptions extends MetricsDependencies {
  readonly loaded: LoadedConfig;
  readonly plugins: Pick<PluginParts, 'exporters'>;
  readonly meters: Meters;
  readonly logger: Logger;
}

/** At the end exporters get so long to write what is left, milliseconds. */
const flushMs = 5000;

/** Throws CONFIG_INVALID for an exporter that cannot be started. */
export function openMetrics(parts: AsyncDisposableStack, options: OpenMetricsOptions): Metrics {
  const { loaded, plugins, meters, logger, pool } = options;
  const metrics = createMetrics(options);
  parts.defer(meters.follow(pool));
  const jsonl = createJsonlExporter(loaded.baseDir);
  const exporters = parts.use(
    startExporters({
      config: loaded.config.exporters,
      known: new Map<string, ExporterDefinition>([
        [jsonl.name, jsonl as ExporterDefinition],
        ...plugins.exporters,
      ]),
      snapshot: () => metrics.snapshot(),
      clock: systemClock,
      logger,
      flushMs,
    }),
  );
  if (loaded.config.exporters.length > 0) parts.defer(meters.listen((call) => exporters.push(call)));
  return metrics;
}
