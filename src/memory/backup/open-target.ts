/** From `to` of the config to the target it means. */

import { resolve } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import type { BackupTarget } from './backup-target.ts';
import { createFolderTarget } from './folder-target.ts';
import { createS3Target } from './s3/s3-target.ts';
import type { S3Credentials } from './s3/sign-request.ts';

/** Where backups are; plain data, with its secrets in it. */
export interface TargetSettings {
  /** A folder, or `s3://<bucket>/<prefix>`. */
  readonly to: string;
  /** Of an S3-compatible store; AWS itself without one. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly credentials?: S3Credentials | undefined;
}

/** Opens a target; nothing is read or written yet. Throws INVALID_INPUT. */
export function openBackupTarget(settings: TargetSettings): BackupTarget {
  const { to, endpoint, region = 'us-east-1', credentials } = settings;
  if (!to.startsWith('s3://')) return createFolderTarget(resolve(to));
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(to) ?? [];
  if (bucket === undefined)
    throw new AppError('INVALID_INPUT', { field: 'to', problem: 'must be a folder or s3://bucket/prefix' });
  if (!credentials)
    throw new AppError('INVALID_INPUT', { field: 'credentials', problem: 'are needed for an s3:// target' });
  return createS3Target({
    bucket,
    prefix: prefix.replaceAll(/^\/+|\/+$/g, ''),
    endpoint,
    region,
    credentials,
  });
}
