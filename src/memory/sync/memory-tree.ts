/** Whether a commit from elsewhere holds memories: a wrong URL must not mix them with somebody's code. */

import { AppError } from '../../kernel/errors.ts';
import type { Git } from '../git/run-git.ts';
import { allowedRootFiles } from './push-checks.ts';
import type { RemoteOptions } from './remote-git.ts';

const folders: ReadonlySet<string> = new Set(['shared', 'coordinator', 'categories', 'servers', 'conflicts']);

/** Throws REMOTE_FAILED when the commit's top level has something else. */
export async function requireMemoryTree(git: Git, commit: string, { name }: RemoteOptions): Promise<void> {
  const out = await git.run(['ls-tree', '--name-only', '-z', commit]);
  const names = out.toString('utf8').split('\0').filter(Boolean);
  const others = names.filter((one) => !folders.has(one) && !allowedRootFiles.has(one) && one !== 'LICENSE');
  if (others.length === 0) return;
  throw new AppError('REMOTE_FAILED', {
    remote: name,
    problem: `its branch holds something that is no memory (${others.slice(0, 3).join(', ')})`,
    fix: 'point it to an empty repository, or name another branch',
  });
}
