/** Metrics and exporters put together. Part of the composition root, like `coordinator.ts`. */

import type { PluginParts } from './catalog/load-plugins.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { resolveSettings, secretSource } from './config/resolve-secrets.ts';
import { systemClock } from './kernel/clock.ts';
import type { ExporterDefinition } from './kernel/exporter.ts';
import type { Logger } from './kernel/log.ts';
import type { Meters } from './metrics/create-meters.ts';
import { createMetrics, type Metrics, type MetricsDependencies } from './metrics/create-metrics.ts';
import { createJsonlExporter } from './metrics/exporters/jsonl.ts';
import { type ExporterConfig, startExporters } from './metrics/run-exporters.ts';

export interface OpenMetricsOptions extends MetricsDependencies {
  readonly loaded: LoadedConfig;
  readonly plugins: Pick<PluginParts, 'exporters'>;
  readonly meters: Meters;
  readonly logger: Logger;
}

/** At the end exporters get so long to write what is left, milliseconds. */
const flushMs = 5000;

/** The exporters as configured, with the secrets that they refer to. Throws CONFIG_INVALID naming one that is missing. */
async function exportersOf(loaded: LoadedConfig): Promise<ExporterConfig[]> {
  const source = secretSource(loaded);
  return await Promise.all(
    loaded.config.exporters.map(async ({ settings, ...entry }, at) => ({
      ...entry,
      ...(settings && { settings: await resolveSettings(settings, `exporters.${at}.settings`, source) }),
    })),
  );
}

/** Throws CONFIG_INVALID for an exporter that cannot be started. */
export async function openMetrics(
  parts: AsyncDisposableStack,
  options: OpenMetricsOptions,
): Promise<Metrics> {
  const { loaded, plugins, meters, logger, pool } = options;
  const metrics = createMetrics(options);
  parts.defer(meters.follow(pool));
  const jsonl = createJsonlExporter(loaded.baseDir);
  const exporters = parts.use(
    startExporters({
      config: await exportersOf(loaded),
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
