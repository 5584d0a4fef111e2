/** Reads and checks the files of TLS: what is wrong with them is told by the field, before anything listens. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { TlsMaterial } from '../kernel/tls-material.ts';
import type { LoadedConfig } from './load-config.ts';

type Field = 'cert' | 'key' | 'clientCa';
const fields = ['cert', 'key', 'clientCa'] as const;

/** What is on the disk for TLS. */
export interface TlsFiles {
  /** Absolute. */
  readonly paths: readonly string[];
  /** Throws CONFIG_INVALID naming the field, never what is in a file. */
  read(nowMs: number): Promise<TlsMaterial>;
}

/** Undefined where TLS is off. Throws CONFIG_INVALID for settings that do not go together. */
export function findTlsFiles(
  { config, sources, baseDir, file }: LoadedConfig,
  cwd = process.cwd(),
): TlsFiles | undefined {
  const { tls } = config;
  const invalid = (field: string, problem: string) =>
    new AppError('CONFIG_INVALID', {
      file: file ?? 'config',
      problem: `tls.${field} ${problem}`,
      path: `tls.${field}`,
    });
  if (tls.cert === undefined || tls.key === undefined) {
    if (tls.cert !== undefined) throw invalid('key', 'is missing: the file with the private key of tls.cert');
    if (tls.key !== undefined) throw invalid('cert', 'is missing: the file with the certificate of tls.key');
    if (tls.clientAuth !== 'none') throw invalid('clientAuth', 'needs TLS: set tls.cert and tls.key');
    return undefined;
  }
  if (tls.clientAuth === 'require' && tls.clientCa === undefined)
    throw invalid('clientCa', 'is missing: with tls.clientAuth require it says whose certificates count');
  if (tls.clientAuth === 'none' && tls.clientCa !== undefined)
    throw invalid('clientAuth', 'is none, so tls.clientCa would say nothing; set it to request or require');
  const pathOf = (field: Field): string | undefined => {
    const path = tls[field];
    return path === undefined ? undefined : resolve(sources[`tls.${field}`] === 'file' ? baseDir : cwd, path);
  };

  async function readText(field: Field): Promise<string | undefined> {
    const path = pathOf(field);
    if (path === undefined) return undefined;
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw invalid(field, `cannot be read: ${messageOf(error)}`);
    }
  }

  async function read(nowMs: number): Promise<TlsMaterial> {
    const [cert = '', key = '', clientCa] = await Promise.all(fields.map(readText));
    const leaf = certificateIn(cert, (problem) => invalid('cert', problem));
    checkKey(leaf, key, (problem) => invalid('key', problem));
    const from = Date.parse(leaf.validFrom);
    const expiresAtMs = Date.parse(leaf.validTo);
    if (expiresAtMs <= nowMs) throw invalid('cert', `expired at ${iso(expiresAtMs)}; have it renewed`);
    if (from > nowMs) throw invalid('cert', `is not valid before ${iso(from)}; is the clock right?`);
    if (clientCa !== undefined) certificateIn(clientCa, (problem) => invalid('clientCa', problem));
    const { minVersion, clientAuth } = tls;
    try {
      // Tells what OpenSSL itself has against them, such as a key that is too short.
      createSecureContext({ cert, key, ca: clientCa, minVersion });
    } catch (error) {
      throw invalid('cert', `is refused: ${messageOf(error)}`);
    }
    return { cert, key, clientCa, clientAuth, minVersion, leaf: leaf.toString(), expiresAtMs };
  }

  return { paths: fields.map(pathOf).filter((path) => path !== undefined), read };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function certificateIn(pem: string, invalid: (problem: string) => AppError): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid('holds no certificate: it has to be PEM, with a line -----BEGIN CERTIFICATE-----');
  }
}

function checkKey(leaf: X509Certificate, pem: string, invalid: (problem: string) => AppError): void {
  let key;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const isSealed =
      error instanceof Error && /passphrase|ENCRYPTED/i.test(error.message + pem.slice(0, 200));
    throw invalid(
      isSealed
        ? 'has a passphrase; take one without, which only this user may read'
        : 'holds no private key: it has to be PEM, with a line -----BEGIN PRIVATE KEY-----',
    );
  }
  if (!leaf.checkPrivateKey(key))
    throw invalid('does not belong to tls.cert; the first certificate there is the one of the key');
}
