/** The backup settings with their references read. */

import { relative, resolve } from 'node:path';
import { AppError } from '../kernel/errors.ts';
import type { BackupConfig } from './backup-shape.ts';
import type { LoadedConfig } from './load-config.ts';
import { resolveReference, secretSource } from './resolve-secrets.ts';

/** What the memory takes: absolute paths, text in place of references. */
export interface ResolvedBackup extends Pick<
  BackupConfig,
  'everyHours' | 'at' | 'keep' | 'endpoint' | 'region'
> {
  /** An absolute path, or `s3://…`. */
  readonly to: string;
  readonly encryptionKey?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** Undefined when no backups are configured. Throws CONFIG_INVALID naming what is missing, never a value. */
export async function resolveBackup(
  { config, baseDir, file, secrets }: LoadedConfig,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ResolvedBackup | undefined> {
  const { backup } = config.memory;
  if (!backup) return undefined;
  const { to, credentials, encryptionKey, ...rest } = backup;
  const source = { env, ...secretSource({ baseDir, file, secrets }) };
  const read = (reference: NonNullable<typeof encryptionKey>, name: string) =>
    resolveReference(reference, `memory.backup.${name}`, source);
  const place = to.startsWith('s3://') ? to : resolve(baseDir, to);
  if (!to.startsWith('s3://') && !relative(resolve(config.dataDir), place).startsWith('..')) {
    const problem = 'memory.backup.to is in the data folder, with which it would be lost; choose another';
    throw new AppError('CONFIG_INVALID', { file: file ?? 'config', problem, path: 'memory.backup.to' });
  }
  return {
    ...rest,
    to: place,
    ...(encryptionKey && { encryptionKey: await read(encryptionKey, 'encryptionKey') }),
    ...(credentials && {
      credentials: {
        accessKeyId: await read(credentials.accessKeyId, 'credentials.accessKeyId'),
        secretAccessKey: await read(credentials.secretAccessKey, 'credentials.secretAccessKey'),
        ...(credentials.sessionToken && {
          sessionToken: await read(credentials.sessionToken, 'credentials.sessionToken'),
        }),
      },
    }),
  };
}
