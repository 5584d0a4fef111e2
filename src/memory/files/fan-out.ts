/**
 * Spreading the files of one big folder over sub-folders named by a hash of the key, `+<hex digit>` a level.
 * No segment of a key has a plus sign in its name, so such a path is never taken for another key's.
 */

import { hash } from 'node:crypto';

/** From so many files directly in a folder on, new ones go deeper; people's own folders are seldom that big. */
const files = { flat: 256, twoLevels: 16_384, threeLevels: 262_144 };

/** All numbers of levels that `fanOutLevels` gives. */
export const fanOutDepths = [0, 2, 3, 4] as const;

/** How many levels a new file of a folder gets, by how many the folder holds, levels included. */
export function fanOutLevels(fileCount: number): number {
  if (fileCount < files.flat) return 0;
  if (fileCount < files.twoLevels) return 2;
  return fileCount < files.threeLevels ? 3 : 4;
}

/** The path (without ending) with so many levels before its last name. */
export function addFanOut(stem: string, key: string, levels: number): string {
  if (levels === 0) return stem;
  const slash = stem.lastIndexOf('/');
  return stem.slice(0, slash) + digitsOf(key, levels).replaceAll(/./g, '/+$&') + stem.slice(slash);
}

/** The path without levels, and whether the levels were those of the key. */
export function removeFanOut(path: string): { readonly path: string; readonly digits: string } {
  const match = /((?:\/\+[0-9a-f])+)\/[^/]*$/.exec(path);
  const levels = match?.[1];
  if (match === null || levels === undefined) return { path, digits: '' };
  const flat = path.slice(0, match.index) + path.slice(match.index + levels.length);
  return { path: flat, digits: levels.replaceAll('/+', '') };
}

/** The beginning of the key's SHA-1, a hex digit a level. */
export function digitsOf(key: string, levels: number): string {
  return hash('sha1', key, 'hex').slice(0, levels);
}
