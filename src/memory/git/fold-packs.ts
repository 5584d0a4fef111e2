/**
 * Makes one pack of many small ones. Git writes the new pack and we take the old ones away: a `git repack`
 * that outlived a killed coordinator would go on deleting packs under the next one.
 */

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import type { Git } from './run-git.ts';

interface PackFile {
  /** Without its ending. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * Folds once there are `maxPacks`; true when it did. Commits may go on meanwhile: their packs are not among the
 * chosen ones. Throws GIT_FAILED, and then nothing is lost.
 */
export async function foldPacks(git: Git, maxPacks: number): Promise<boolean> {
  const folder = join(git.repositoryDir, 'objects', 'pack');
  const packs = listPacks(folder);
  if (packs.length < maxPacks) return false;
  const chosen = choosePacks(packs);
  // Packs made in a hurry are not compressed: what is in them must not be copied as it is.
  const limits = [
    '--no-reuse-object',
    '--threads=1',
    '--window-memory=64m',
    '--delta-base-offset',
    '--non-empty',
    '--quiet',
  ];
  const input = chosen.map((pack) => `${pack.name}.pack\n`).join('');
  const out = await git.run(['pack-objects', '--stdin-packs', ...limits, join(folder, 'pack')], input);
  const made = `pack-${out.toString('utf8').trim()}`;
  if (!existsSync(join(folder, `${made}.idx`))) {
    throw new AppError('GIT_FAILED', { command: 'pack-objects', problem: 'made no pack' });
  }
  const folded = new Set(chosen.map(({ name }) => name).filter((name) => name !== made));
  // An index over the packs that stay, before the others go: a reader that trusts the old one would miss them.
  const stay = listPacks(folder).filter(({ name }) => !folded.has(name));
  await git.run(
    ['multi-pack-index', 'write', '--stdin-packs'],
    stay.map(({ name }) => `${name}.idx\n`).join(''),
  );
  for (const name of folded) removeUnlessOpen(join(folder, name));
  return true;
}

/** Windows keeps what a reader has open: such a pack goes with the next fold. */
function removeUnlessOpen(stem: string): void {
  try {
    removePack(stem);
  } catch (error) {
    if (process.platform !== 'win32') throw error;
  }
}

/** Packs that are whole and not kept, smallest first. */
function listPacks(folder: string): PackFile[] {
  const names = new Set(readdirSync(folder));
  return [...names]
    .filter((name) => /^pack-[0-9a-f]{40}\.pack$/.test(name))
    .map((name) => name.slice(0, -'.pack'.length))
    .filter((name) => names.has(`${name}.idx`) && !names.has(`${name}.keep`))
    .map((name) => ({ name, bytes: statSync(join(folder, `${name}.pack`)).size }))
    .sort((a, b) => a.bytes - b.bytes);
}

/** The small ones, up to the first that is twice as big as all before it: big packs are seldom written anew. */
export function choosePacks<Pack extends { readonly bytes: number }>(packs: readonly Pack[]): Pack[] {
  let bytes = 0;
  let count = 0;
  for (const pack of packs) {
    if (count >= 2 && pack.bytes > bytes * 2) break;
    bytes += pack.bytes;
    count += 1;
  }
  return packs.slice(0, count);
}

/** The index goes first, so that nobody finds an object whose pack is gone. */
export function removePack(stem: string): void {
  for (const ending of ['.idx', '.rev', '.bitmap', '.pack', '.keep']) rmSync(stem + ending, { force: true });
}
