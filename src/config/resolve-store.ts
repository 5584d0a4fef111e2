/** The address of the store with its reference read. */

import { AppError } from '../kernel/errors.ts';
import type { LoadedConfig } from './load-config.ts';
import { resolveReference } from './resolve-secrets.ts';

/** What the store takes. */
export interface ResolvedStore {
  /** A secret. */
  readonly url: string;
  readonly poolSize: number;
}

/** Undefined where the state is in the data folder. Throws CONFIG_INVALID naming what is wrong, never the value. */
export async function resolveStore(
  { config, baseDir, file }: Pick<LoadedConfig, 'config' | 'baseDir' | 'file'>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ResolvedStore | undefined> {
  const { store } = config;
  if (!store) return undefined;
  const source = { env, baseDir, ...(file !== undefined && { file }) };
  const url = await resolveReference(store.url, 'store.url', source);
  const problem = problemOfUrl(url);
  if (problem !== undefined)
    throw new AppError('CONFIG_INVALID', {
      file: file ?? 'config',
      problem: `store.url ${problem}`,
      path: 'store.url',
    });
  return { url, poolSize: store.poolSize };
}

/** Why a text is no address of a database; undefined when it is one. */
export function problemOfUrl(text: string): string | undefined {
  const form = 'must look like postgresql://user:password@host:5432/database';
  const url = URL.parse(text.trim());
  if (!url || !/^postgres(?:ql)?:$/.test(url.protocol)) return form;
  return url.pathname.length > 1 && !url.pathname.slice(1).includes('/')
    ? undefined
    : `names no database: it ${form}`;
}
