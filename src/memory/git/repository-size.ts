/** Bytes of the repository's objects on disk. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The sum over all files under `objects`; files that go away meanwhile count nothing. */
export async function repositorySize(repositoryDir: string): Promise<number> {
  const folder = join(repositoryDir, 'objects');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map((file) => sizeOf(join(file.parentPath, file.name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}
