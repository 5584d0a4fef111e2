/** A pack and the ref that leads to it: both are there afterwards, or neither. */

import { moveRef, readRef } from './move-ref.ts';
import type { PackBuilder } from './pack-builder.ts';
import { installPack } from './pack-files.ts';

/**
 * Installs a pack and moves a ref to a commit in it; false, with the pack gone again, when the ref is not at `from`
 * any more. `prepare` runs between the two. Throws GIT_FAILED and what the disk failed with.
 */
export function landPack(
  repositoryDir: string,
  files: ReturnType<PackBuilder['finish']>,
  move: { readonly ref: string; readonly from: string | null; readonly to: string },
  prepare: () => void = () => {},
): boolean {
  const { ref, from, to } = move;
  const pack = installPack(repositoryDir, files, to);
  try {
    prepare();
    if (!moveRef(repositoryDir, ref, from, to)) {
      pack.remove();
      return false;
    }
  } catch (error) {
    // The ref may have moved before the failure; then its pack must stay.
    if (readRef(repositoryDir, ref) !== to) pack.remove();
    throw error;
  }
  pack.release();
  return true;
}
