/** Limits as configured. Part of the composition root, like `coordinator.ts`. */

import type { LoadedConfig } from './config/load-config.ts';
import { resolveReference } from './config/resolve-secrets.ts';
import { systemClock } from './kernel/clock.ts';
import type { Logger } from './kernel/log.ts';
import { createFailedKeys, type FailedKeys } from './metering/limits/failed-keys.ts';
import { type OpenedLimits, openLimits as open } from './metering/limits/open-limits.ts';
import type { Meters } from './metrics/create-meters.ts';
import type { Store } from './store/open-store.ts';

export interface Limiting extends Pick<OpenedLimits, 'limits' | 'counting'> {
  readonly failedKeys: FailedKeys;
}

/** Throws CONFIG_INVALID naming a reference that is missing; what counts for all may be away. */
export async function openLimits(
  parts: AsyncDisposableStack,
  options: {
    readonly loaded: LoadedConfig;
    readonly store: Pick<Store, 'monthlyUses'>;
    readonly meters: Pick<Meters, 'onLimited' | 'onLimitsAway'>;
    readonly logger: Logger;
  },
): Promise<Limiting> {
  const { loaded, store, meters, logger } = options;
  const { config, baseDir, file } = loaded;
  const { redis, failedKeys, ...settings } = config.limits;
  const source = { baseDir, ...(file !== undefined && { file }) };
  const opened = parts.use(
    await open({
      settings,
      uses: store.monthlyUses,
      redis: redis && { ...redis, url: await resolveReference(redis.url, 'limits.redis.url', source) },
      clock: systemClock,
      logger,
      onLimited: meters.onLimited,
      onAway: meters.onLimitsAway,
    }),
  );
  return {
    limits: opened.limits,
    counting: opened.counting,
    failedKeys: createFailedKeys({ ...failedKeys, clock: systemClock, onLimited: meters.onLimited }),
  };
}
