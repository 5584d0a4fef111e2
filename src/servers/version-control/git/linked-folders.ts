/**
 * Finds folders of a work tree that were replaced by links. Git guards `add` and `diff` against them, but
 * `grep` and `commit --only` read through them, out of the repository.
 */

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolError } from '../../../kernel/define-server.ts';
import type { Repository } from './repository.ts';

function ancestorsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** The paths, as Git writes them, that lie below a link. */
export async function pathsBehindLinks(
  repository: Repository,
  paths: readonly string[],
): Promise<Set<string>> {
  const folders = [...new Set(paths.flatMap(ancestorsOf))];
  const links = new Set<string>();
  for (const folder of folders) {
    const isLink = await lstat(join(repository.path, folder)).then(
      (stat) => stat.isSymbolicLink(),
      () => false,
    );
    if (isLink) links.add(folder);
  }
  return new Set(
    links.size === 0 ? [] : paths.filter((path) => ancestorsOf(path).some((folder) => links.has(folder))),
  );
}

/** ToolError when a tracked file among these paths lies below a link. */
export async function assertNoLinks(repository: Repository, paths: readonly string[]): Promise<void> {
  const { text } = await repository.read(['ls-files', '-z', '--', ...paths]);
  const [behind] = await pathsBehindLinks(repository, text.split('\0'));
  if (behind === undefined) return;
  throw new ToolError(
    `paths: "${behind}" lies behind a symbolic link; stage the link itself with git_add, then commit without paths`,
  );
}
