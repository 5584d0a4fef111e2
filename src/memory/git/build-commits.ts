/** Writes as commits in one pack, on top of a tree that is changed along with them. */

import type { WriteRecord } from '../write-record.ts';
import { encodeCommit } from './commit-message.ts';
import { createPackBuilder } from './pack-builder.ts';
import type { TreeCache } from './tree-cache.ts';

/** More writes at a time than this are in a hurry. */
const hastyFrom = 1024;

/** A commit a group, each on the one before, the first on `parent`, whose tree `cache` is. */
export async function buildCommits(
  cache: TreeCache,
  parent: string | null,
  groups: readonly (readonly WriteRecord[])[],
) {
  const writes = groups.reduce((sum, records) => sum + records.length, 0);
  const pack = createPackBuilder(writes > hastyFrom);
  const commits: { id: string; seqs: number[] }[] = [];
  let last = parent;
  for (const records of groups) {
    for (const record of records) {
      for (const path of record.removePaths) await cache.removeFile(path);
      if (record.content === null) await cache.removeFile(record.path);
      else await cache.putFile(record.path, pack.add('blob', record.content));
    }
    const root = cache.write((id, content, base) => pack.add('tree', content, { id, base })).toString('hex');
    last = pack.add('commit', encodeCommit({ tree: root, parent: last, records })).toString('hex');
    commits.push({ id: last, seqs: records.map((record) => record.seq) });
  }
  return { commits, files: pack.finish() };
}
