/**
 * A place beside the repository where the pack of a push waits until it is found good. Nothing that reads the
 * repository sees it; after a crash the next start takes it away.
 */

import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../kernel/errors.ts';
import { startBounded } from './bounded-git.ts';
import { removePack } from './fold-packs.ts';
import { type InstalledPack, keepText, syncFolderNow, temporaryPrefix, writeDurably } from './pack-files.ts';
import { type Git, createGit } from './run-git.ts';

/** How much may come, and for how long. */
export interface PackLimits {
  /** Bytes of the pack as sent. */
  readonly packBytes: number;
  readonly timeoutMs: number;
}

/** Git's own name for such folders: its `prune` knows them too. */
const folderPrefix = 'tmp_objdir-incoming-memory-';

export interface Quarantine extends AsyncDisposable {
  /** Git with the objects of the push on top of those of the repository. */
  readonly git: Git;
  /**
   * Stores the pack of the stream. Throws INVALID_REQUEST with Git's words for a broken one,
   * PAYLOAD_TOO_LARGE, CLIENT_GONE.
   */
  store(pack: AsyncIterable<Uint8Array>, limits: PackLimits, signal: AbortSignal): Promise<void>;
  /** Moves the pack into the repository, durably, kept for `commit` until it is released or removed. */
  install(commit: string): InstalledPack;
}

/** Makes an empty one in the repository of `git`. */
export async function openQuarantine(git: Git): Promise<Quarantine> {
  const objects = join(git.repositoryDir, 'objects');
  const folder = await mkdtemp(join(objects, folderPrefix));
  await mkdir(join(folder, 'pack'));
  const inside = createGit(git.repositoryDir, {
    GIT_OBJECT_DIRECTORY: folder,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
    // An object that unpacks to gigabytes ends the child instead of filling the memory of the machine.
    GIT_ALLOC_LIMIT: '256m',
  });
  let name: string | undefined;

  return {
    git: inside,
    async store(pack, limits, signal) {
      const { timeoutMs, packBytes } = limits;
      const stop = new AbortController();
      const either = AbortSignal.any([signal, stop.signal]);
      // Big files are not taken anyway; above this size Git does not hold them in memory.
      const settings = ['-c', 'core.bigFileThreshold=16m', '-c', 'pack.writeReverseIndex=false'];
      const how = ['--stdin', '--strict', '--fix-thin', `--max-input-size=${packBytes}`];
      const args = [...settings, 'index-pack', ...how];
      const { child, ended } = startBounded(inside, args, { timeoutMs, signal: either });
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
      let failure: unknown;
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* pack;
        } catch (error) {
          // The client went away: index-pack must not take this for the end of the pack.
          failure = error;
          stop.abort();
          throw error;
        }
      };
      // What index-pack does not want to read any more shows in how it ends.
      pipeline(source(), child.stdin).catch(() => {});
      const { code, errors, why } = await ended;
      if (code !== 0 || why !== undefined) throw toPackError({ errors, why, failure }, packBytes);
      name = /\b([0-9a-f]{40})\b/.exec(out)?.[1];
    },
    install(commit) {
      if (name === undefined) return { release() {}, remove() {} };
      return installFrom(join(folder, 'pack', `pack-${name}`), join(objects, 'pack'), name, commit);
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function toPackError(
  ending: { readonly errors: string; readonly why: string | undefined; readonly failure: unknown },
  packBytes: number,
): AppError {
  const { errors, why, failure } = ending;
  if (why === 'timeout') return new AppError('INVALID_REQUEST', { problem: 'the push took too long' });
  if (/pack exceeds maximum allowed size/.test(errors)) {
    const data = { what: 'the push', bytes: `over ${packBytes}`, limitBytes: packBytes };
    return new AppError('PAYLOAD_TOO_LARGE', data);
  }
  if (failure instanceof AppError) return failure;
  if (why === 'aborted') {
    return new AppError('CLIENT_GONE', { method: 'the push' }, { cause: failure });
  }
  const words = errors.trim().split('\n').filter(Boolean).join('; ').slice(0, 500);
  return new AppError('INVALID_REQUEST', { problem: `the pack is not sound: ${words}` });
}

function installFrom(from: string, packs: string, name: string, commit: string): InstalledPack {
  const stem = join(packs, `pack-${name}`);
  // The same pack again: what is in it is there already, and perhaps in use.
  if (existsSync(`${stem}.idx`)) return { release() {}, remove() {} };
  const keep = join(packs, `${temporaryPrefix}${process.pid}-push.keep`);
  try {
    writeDurably(keep, Buffer.from(keepText(commit)));
    renameSync(keep, `${stem}.keep`);
    renameSync(`${from}.pack`, `${stem}.pack`);
    renameSync(`${from}.idx`, `${stem}.idx`);
    syncFolderNow(packs);
  } catch (error) {
    rmSync(keep, { force: true });
    removePack(stem);
    throw error;
  }
  return {
    release: () => rmSync(`${stem}.keep`, { force: true }),
    remove: () => removePack(stem),
  };
}

/** Takes away what pushes of a killed coordinator left. */
export async function removeQuarantines(repositoryDir: string): Promise<void> {
  const objects = join(repositoryDir, 'objects');
  for (const name of await readdir(objects)) {
    if (name.startsWith(folderPrefix)) await rm(join(objects, name), { recursive: true, force: true });
  }
}
