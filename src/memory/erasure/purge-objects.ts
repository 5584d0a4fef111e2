/**
 * Takes away every object that no ref reaches: Git writes one new pack of all that is reachable, then the files
 * that were there before go. What arrives meanwhile stays, as a push may not have moved its ref yet.
 */

import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import { removePack } from '../git/fold-packs.ts';
import { readKeepFile, syncFolderNow } from '../git/pack-files.ts';
import type { Git } from '../git/run-git.ts';

/** Files of objects at one moment. */
export interface ObjectFiles {
  /** Packs by path, without their endings. */
  readonly packs: readonly string[];
  readonly loose: readonly string[];
}

/** Logs, caches and notes of Git that name old commits. */
const leftovers = [
  'logs',
  'objects/info/commit-graph',
  'objects/info/commit-graphs',
  'objects/info/packs',
  'FETCH_HEAD',
  'ORIG_HEAD',
  'MERGE_HEAD',
  'gc.log',
];

/** The files that hold objects now. */
export function listObjectFiles(repositoryDir: string): ObjectFiles {
  const objects = join(repositoryDir, 'objects');
  const folder = join(objects, 'pack');
  const loose = readdirSync(objects)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .flatMap((name) => readdirSync(join(objects, name)).map((file) => join(objects, name, file)));
  return { packs: packsIn(folder), loose };
}

/**
 * Removes the files of `before`, and what we made since, once all that is reachable is in a new pack. No writer of
 * ours may have a pack whose ref has not moved. Throws GIT_FAILED, and then nothing is gone that a ref reaches.
 */
export async function purgeObjects(git: Git, before: ObjectFiles): Promise<void> {
  const folder = join(git.repositoryDir, 'objects', 'pack');
  const limits = ['--threads=1', '--window-memory=64m', '--delta-base-offset', '--non-empty', '--quiet'];
  const out = await git.run(['pack-objects', '--all', ...limits, join(folder, 'pack')], '');
  const checksum = out.toString('utf8').trim();
  const made = checksum === '' ? undefined : join(folder, `pack-${checksum}`);
  if (made !== undefined && !existsSync(`${made}.idx`)) {
    throw new AppError('GIT_FAILED', { command: 'pack-objects', problem: 'made no pack' });
  }
  if (made !== undefined) rmSync(`${made}.keep`, { force: true });
  for (const name of readdirSync(folder)) {
    if (name.startsWith('multi-pack-index')) rmSync(join(folder, name), { force: true });
  }
  const ours = packsIn(folder).filter((stem) => isOurs(`${stem}.keep`));
  for (const stem of new Set([...before.packs, ...ours])) if (stem !== made) removePack(stem);
  for (const path of before.loose) rmSync(path, { force: true });
  for (const name of leftovers) rmSync(join(git.repositoryDir, name), { recursive: true, force: true });
  syncFolderNow(folder);
}

function packsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^pack-[0-9a-f]{40}\.pack$/.test(name))
    .map((name) => join(folder, name.slice(0, -'.pack'.length)));
}

function isOurs(keepPath: string): boolean {
  try {
    return readKeepFile(readFileSync(keepPath, 'utf8')) !== undefined;
  } catch {
    return false;
  }
}
