/** Where the coordinator answers: --url, then GIT_MEMORY_MCP_URL, then what the data folder says, then the config. */

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { isJsonObject } from '../kernel/json-rpc.ts';
import type { CliContext } from './context.ts';
import { findTrust, type Trust } from './trust.ts';

/** Options that say where the coordinator is. */
export interface WhereOptions {
  readonly url?: string;
  readonly data?: string;
}

/** An address that may have a coordinator. */
export interface FoundCoordinator {
  readonly url: string;
  /** Process id, when the data folder names one. */
  readonly pid?: number;
  /** The key to get in with, where one is known. */
  readonly key?: string;
  /** The data folder that names it, absolute. */
  readonly dataDir?: string;
  /** The certificate that it shows, PEM, when the data folder names one. */
  readonly certificate?: string;
}

/** How to get in: the key, and which certificate is trusted and shown. */
export interface CoordinatorAccess {
  readonly key?: string | undefined;
  readonly trust?: Trust | undefined;
}

/** Headers that show a key. */
export function keyHeaders(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

const fallbackUrl = 'http://127.0.0.1:3000';

/** The file in the data folder that a running coordinator keeps. */
export const addressFileName = 'coordinator.json';

/** A config that is broken must not keep anyone from talking to a coordinator that runs. */
async function configOrNothing(
  options: WhereOptions,
  context: CliContext,
): Promise<LoadedConfig | undefined> {
  try {
    return await loadConfig({ env: context.env, cwd: context.cwd, flags: { dataDir: options.data } });
  } catch {
    return undefined;
  }
}

async function readAddress(dataDir: string): Promise<FoundCoordinator | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dataDir, addressFileName), 'utf8'));
    if (!isJsonObject(value) || typeof value['url'] !== 'string') return undefined;
    const { url, pid, key, certificate } = value;
    return {
      url,
      ...(typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 && { pid }),
      ...(typeof key === 'string' && { key }),
      ...(typeof certificate === 'string' && { certificate }),
    };
  } catch {
    return undefined;
  }
}

/** An address that can be called: `0.0.0.0` and `::` are only for listening. */
function callable({ host, port, tls }: LoadedConfig['config']): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${tls.cert === undefined ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

const isSameOrigin = (one: string, other: string): boolean =>
  URL.parse(one)?.origin === URL.parse(other)?.origin;

/**
 * The best known address; whether someone answers there shows at the first call. The key is that of GIT_MEMORY_MCP_KEY,
 * else the one that the data folder holds for those who can read it, which is never sent anywhere else: to a URL that is
 * named only where TLS shows that the same coordinator answers.
 */
export async function findCoordinator(
  options: WhereOptions,
  context: CliContext,
): Promise<FoundCoordinator & CoordinatorAccess> {
  const found = await findAddress(options, context);
  const key = context.env['GIT_MEMORY_MCP_KEY'];
  const trust = isSecure(found.url) ? { trust: await findTrust(found.certificate, context) } : {};
  return { ...found, ...trust, ...(key !== undefined && key !== '' && { key }) };
}

const isSecure = (url: string): boolean => URL.parse(url)?.protocol === 'https:';

async function findAddress(options: WhereOptions, context: CliContext): Promise<FoundCoordinator> {
  const named = options.url ?? context.env['GIT_MEMORY_MCP_URL'];
  const isNamed = named !== undefined && named !== '';
  if (isNamed && !isSecure(named)) return { url: named };
  const loaded = await configOrNothing(options, context);
  const dataDir = loaded?.config.dataDir ?? resolve(context.cwd, options.data ?? '.git-memory');
  const address = await readAddress(dataDir);
  if (isNamed) {
    // The one of this data folder, which shows that certificate and no other.
    const isOurs = address?.certificate !== undefined && isSameOrigin(named, address.url);
    return isOurs ? { ...address, url: named, dataDir } : { url: named };
  }
  if (address) return { ...address, dataDir };
  if (loaded && loaded.config.port !== 0) return { url: callable(loaded.config) };
  return { url: fallbackUrl };
}
