/**
 * Puts a pack into the repository: durable, under a keep mark until its ref has moved, because a
 * `git gc` that someone runs meanwhile would delete what no ref reaches.
 */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { removePack } from './fold-packs.ts';

/** The content of our keep files names the commit that the pack was made for. */
export function keepText(commit: string): string {
  return `git-memory-mcp ${commit}\n`;
}

/** The commit of a keep file of ours; undefined for those of others. */
export function readKeepFile(text: string): string | undefined {
  return /^git-memory-mcp ([0-9a-f]{40})\n$/.exec(text)?.[1];
}

/**
 * Start of the names of half-written files. They never end as a pack or an index does: Git reads every
 * `*.idx` of the folder, and would take one that is renamed under its hands for a damaged repository.
 */
export const temporaryPrefix = 'tmp_git_memory_';

export interface InstalledPack {
  /** The ref has moved: the pack is like any other now. */
  release(): void;
  /** The ref did not move: nothing can refer to the pack. */
  remove(): void;
}

/** Writes, syncs and renames pack and index; the index comes last, as Git looks for it. */
export function installPack(
  repositoryDir: string,
  files: { readonly name: string; readonly pack: Buffer; readonly index: Buffer },
  commit: string,
): InstalledPack {
  const folder = join(repositoryDir, 'objects', 'pack');
  const temporary = join(folder, `${temporaryPrefix}${process.pid}`);
  const stem = join(folder, `pack-${files.name}`);
  try {
    writeDurably(`${temporary}_pack`, files.pack);
    writeDurably(`${temporary}_idx`, files.index);
    // Whole or not at all: an empty one would pass for somebody else's, and its pack would stay for ever.
    writeFileSync(`${temporary}_keep`, keepText(commit));
    renameSync(`${temporary}_keep`, `${stem}.keep`);
    renameSync(`${temporary}_pack`, `${stem}.pack`);
    renameSync(`${temporary}_idx`, `${stem}.idx`);
    syncFolderNow(folder);
  } catch (error) {
    for (const ending of ['_pack', '_idx', '_keep']) rmSync(temporary + ending, { force: true });
    removePack(stem);
    throw error;
  }
  return {
    release: () => rmSync(`${stem}.keep`, { force: true }),
    remove: () => removePack(stem),
  };
}

/** Writes a new file whose bytes are on disk when this returns. */
export function writeDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w', 0o644);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes renames in a folder durable; Windows does it by itself. */
export function syncFolderNow(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
