/** Values as the newest commit has them, read beside whoever works on the repository. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeMemoryFile } from '../files/memory-file.ts';
import { createObjectReader } from '../git/object-reader.ts';
import { mainRef } from '../git/repository.ts';
import { createGit } from '../git/run-git.ts';
import { splitAtNul, streamGit } from '../git/stream-git.ts';

/** JSON values of the files below a folder of the tree; none where there is no repository yet. Throws GIT_FAILED, GIT_MISSING. */
export async function readCommitted(dataDir: string, folder: string): Promise<unknown[]> {
  const repositoryDir = join(dataDir, 'memory.git');
  if (!existsSync(repositoryDir)) return [];
  const git = createGit(repositoryDir);
  if ((await git.exitCode(['rev-parse', '--quiet', '--verify', mainRef])) !== 0) return [];
  await using reader = createObjectReader(git);
  const values: unknown[] = [];
  const args = ['ls-tree', '-r', '-z', '--full-tree', mainRef, `${folder}/`];
  for await (const row of splitAtNul(streamGit(git, args))) {
    const [, id] = /^100\d{3} blob ([0-9a-f]{40})\t[\s\S]+\.json$/.exec(row) ?? [];
    const object = id === undefined ? undefined : await reader.read(id);
    if (object && object !== 'ambiguous') values.push(decodeMemoryFile('json', object.content).value);
  }
  return values;
}
