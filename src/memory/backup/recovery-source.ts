/** What a memory can be recovered from: backups in a folder or a bucket, or any clone of its repository. */

import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import { prepareRepository } from '../git/repository.ts';
import { createGit } from '../git/run-git.ts';
import { snapshotRefs } from '../versions/snapshots.ts';
import type { BackupTarget } from './backup-target.ts';
import { createBackupKey } from './encryption.ts';
import { type BackupManifest, manifestName, timeOfId } from './manifest.ts';
import { type TargetSettings, openBackupTarget } from './open-target.ts';
import { restoreBackup } from './restore-backup.ts';
import { findBackups, readManifest } from './stored-backups.ts';

export interface SourceOptions {
  /** A folder of backups, one backup in it, `s3://…`, or a clone: a path, a bundle file or a URL that Git takes. */
  readonly from: string;
  /** The newest usable one unless given. */
  readonly backupId?: string | undefined;
  readonly access?: Omit<TargetSettings, 'to'> | undefined;
  readonly encryptionKey?: string | undefined;
}

/** What was put into the folder. */
export interface Fetched {
  readonly kind: 'backup' | 'repository';
  readonly id?: string;
  /** ISO 8601 time of the backup. */
  readonly at?: string;
  /** Acknowledged writes that the next start takes from the journal. */
  readonly waiting: number;
}

/** Puts `memory.git` and what there is of a journal into `folder`. Throws what reading the source throws. */
export async function fetchMemory(options: SourceOptions, folder: string): Promise<Fetched> {
  const { from, backupId, encryptionKey } = options;
  const place = backupPlace(options);
  if (!place) {
    if (backupId !== undefined)
      throw new AppError('INVALID_INPUT', {
        field: 'to',
        problem: 'names a backup, but the source is a repository',
      });
    await fetchRepository(from, folder);
    return { kind: 'repository', waiting: 0 };
  }
  const key = encryptionKey === undefined ? undefined : createBackupKey(encryptionKey);
  const manifest = await chooseBackup(place.target, backupId ?? place.id);
  await restoreBackup(place.target, manifest, key, folder);
  const { id, at, waiting } = manifest;
  return { kind: 'backup', id, at, waiting };
}

function backupPlace({ from, access }: SourceOptions): { target: BackupTarget; id?: string } | undefined {
  if (from.startsWith('s3://')) {
    const [, parent = '', last = ''] = /^(.*?)\/([^/]*)\/*$/.exec(from) ?? [];
    const isOne = timeOfId(last) !== undefined;
    return { target: openBackupTarget({ ...access, to: isOne ? parent : from }), ...(isOne && { id: last }) };
  }
  if (isRemote(from)) return undefined;
  const path = resolve(from);
  if (!existsSync(path)) throw new AppError('NOT_FOUND', { what: 'source', id: path });
  const isRepository = ['HEAD', '.git'].some((name) => existsSync(join(path, name)));
  if (isRepository || !statSync(path).isDirectory()) return undefined;
  const isOne = timeOfId(basename(path)) !== undefined && existsSync(join(path, manifestName));
  if (isOne) return { target: openBackupTarget({ to: dirname(path) }), id: basename(path) };
  return { target: openBackupTarget({ to: path }) };
}

/** The backup of an id, else the newest that nothing is known against. Throws NOT_FOUND and BACKUP_DAMAGED. */
async function chooseBackup(target: BackupTarget, id: string | undefined): Promise<BackupManifest> {
  if (id !== undefined) {
    if (timeOfId(id) === undefined) throw new AppError('NOT_FOUND', { what: 'backup', id });
    return readManifest(target, id);
  }
  const { whole } = await findBackups(target);
  const usable = whole.find(({ problem }) => problem === undefined)?.manifest;
  if (usable) return usable;
  const [first] = whole;
  if (first) throw new AppError('BACKUP_DAMAGED', { id: first.id, problem: first.problem });
  throw new AppError('NOT_FOUND', { what: 'backup', id: target.label });
}

/** `scheme://…` and `host:path`; a Windows path has one letter before its colon. */
function isRemote(from: string): boolean {
  return from.includes('://') || /^[^/\\]{2,}:/.test(from);
}

async function fetchRepository(from: string, folder: string): Promise<void> {
  const source = isRemote(from) ? from : resolve(from);
  if (URL.canParse(source) && new URL(source).password !== '') {
    const problem = 'holds a password, which everyone on this machine could read: use SSH, or clone it first';
    throw new AppError('INVALID_INPUT', { field: 'from', problem });
  }
  const git = createGit(join(folder, 'memory.git'));
  await prepareRepository(git);
  const rows = (await git.run(['ls-remote', '--quiet', '--', source])).toString('utf8').split('\n');
  const names = new Set(rows.map((row) => row.slice(41)));
  const main = ['refs/heads/main', 'HEAD'].find((name) => names.has(name));
  if (main === undefined)
    throw new AppError('INVALID_INPUT', { field: 'from', problem: 'is a repository without a branch main' });
  const specs = [`+${main}:refs/heads/main`, `+${snapshotRefs}*:${snapshotRefs}*`];
  const own = '+refs/git-memory/*:refs/git-memory/*';
  const how = ['--quiet', '--no-write-fetch-head', '--no-tags', '--no-auto-gc'];
  await git.run(['fetch', ...how, '--', source, ...specs, own]);
}
