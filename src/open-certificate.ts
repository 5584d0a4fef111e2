/** TLS as configured. Part of the composition root, like `coordinator.ts`. */

import type { LoadedConfig } from './config/load-config.ts';
import { findTlsFiles } from './config/resolve-tls.ts';
import { isLoopback } from './http/guards.ts';
import { type Certificate, openCertificate } from './http/tls/certificate.ts';
import { systemClock } from './kernel/clock.ts';
import type { Logger } from './kernel/log.ts';

/** Undefined where TLS is off. Throws CONFIG_INVALID naming the field. */
export async function openConfiguredCertificate(
  parts: AsyncDisposableStack,
  loaded: LoadedConfig,
  logger: Logger,
): Promise<Certificate | undefined> {
  const files = findTlsFiles(loaded);
  if (files) return parts.use(await openCertificate({ ...files, clock: systemClock, logger }));
  const { host, trustedProxies } = loaded.config;
  if (!isLoopback(host) && trustedProxies.length === 0)
    logger.warn(
      { host },
      'keys travel in the clear: set tls.cert and tls.key, or trustedProxies where a proxy before this has TLS',
    );
  return undefined;
}
