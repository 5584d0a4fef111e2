/** TLS: files that can be read and belong together, and how long the certificate is good for. */

import type { LoadedConfig } from '../../config/load-config.ts';
import { findTlsFiles } from '../../config/resolve-tls.ts';
import { toAppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import type { Finding } from './finding.ts';

const dayMs = 86_400_000;
const warnBelowDays = 14;

/** Undefined where TLS is off. */
export async function checkCertificate(
  loaded: LoadedConfig,
  { cwd }: CliContext,
): Promise<Finding | undefined> {
  const check = 'certificate';
  try {
    const files = findTlsFiles(loaded, cwd);
    if (!files) return undefined;
    const { expiresAtMs } = await files.read(Date.now());
    const daysLeft = Math.floor((expiresAtMs - Date.now()) / dayMs);
    const detail = `good for ${daysLeft} days more`;
    if (daysLeft >= warnBelowDays) return { check, status: 'ok', detail };
    return { check, status: 'warn', detail, fix: 'have it renewed; it is taken without a restart' };
  } catch (error) {
    return {
      check,
      status: 'fail',
      detail: toAppError(error).message,
      fix: 'correct the file or the setting; see docs/guides/tls.md',
    };
  }
}
