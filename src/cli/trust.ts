/** Which certificate a coordinator may show, and which one the command line shows it. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ConnectionOptions, rootCertificates } from 'node:tls';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { CliContext } from './context.ts';

/** Options of a TLS connection; empty ones go by the CAs of the system. */
export type Trust = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'allowPartialTrustChain' | 'checkServerIdentity'
>;

/** Files named by the environment. */
export const trustVariables = {
  ca: 'GIT_MEMORY_MCP_CA',
  cert: 'GIT_MEMORY_MCP_CERT',
  key: 'GIT_MEMORY_MCP_CERT_KEY',
} as const;

async function fileOf(name: string, { env, cwd }: CliContext): Promise<string | undefined> {
  const path = env[name];
  if (path === undefined || path === '') return undefined;
  try {
    return await readFile(resolve(cwd, path), 'utf8');
  } catch (error) {
    throw new AppError('INVALID_INPUT', { field: name, problem: messageOf(error) });
  }
}

/**
 * `certificate` is the one that the data folder names: who can read it there need not ask a CA, and no other
 * certificate will do, whatever name it is for. Else the CAs of GIT_MEMORY_MCP_CA and of the system count.
 */
export async function findTrust(certificate: string | undefined, context: CliContext): Promise<Trust> {
  const { ca, cert, key } = trustVariables;
  const [own, ownKey] = [await fileOf(cert, context), await fileOf(key, context)];
  const shown = own !== undefined && ownKey !== undefined ? { cert: own, key: ownKey } : {};
  if (certificate !== undefined)
    return {
      ...shown,
      ca: [certificate],
      allowPartialTrustChain: true,
      checkServerIdentity: () => undefined,
    };
  const more = await fileOf(ca, context);
  return { ...shown, ...(more !== undefined && { ca: [...rootCertificates, more] }) };
}

const certificateCodes =
  /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS_|^ERR_SSL_.*(?:CERTIFICATE|UNKNOWN_CA)|INVALID_CA|INVALID_PURPOSE/;

/** Whether a connection failed for the certificate of either side: nothing was sent then. */
export function isCertificateProblem(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    certificateCodes.test(error.code)
  );
}

/** What to say of a connection that failed. */
export function connectionFailure(url: string, error: unknown): AppError {
  if (!isCertificateProblem(error)) return new AppError('COORDINATOR_NOT_RUNNING', { url }, { cause: error });
  return new AppError(
    'CERTIFICATE_REFUSED',
    { url, problem: `${messageOf(error)} (${error.code})` },
    { cause: error },
  );
}
