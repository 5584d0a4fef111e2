/** Where repositories may lie: names and paths are resolved inside the allowed folders, symbolic links followed first. */

import { lstat, mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { ToolError } from '../../../kernel/define-server.ts';
import type { GitContext } from './settings.ts';

const windowsDevice = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

export const repositoryShape = z
  .string()
  .min(1)
  .max(1000)
  .refine((name) => !/\p{Cc}/u.test(name), { error: 'must not contain control characters' })
  .describe('Repository: its name below the root, e.g. "apollo" or "team/apollo", or its absolute path.');

/** The allowed folders with links resolved; the default one is made when first needed. */
export async function openRoots(context: GitContext): Promise<string[]> {
  const { roots } = context.settings;
  if (!roots) {
    const folder = join(context.instance.dataDir, 'repositories');
    await mkdir(folder, { recursive: true });
    return [await realpath(folder)];
  }
  const found = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)));
  const present = found.filter((root) => root !== undefined);
  if (present.length === 0)
    throw new ToolError(`settings.roots: none of these folders exists: ${roots.join(', ')}`);
  return present;
}

function isInside(root: string, path: string): boolean {
  const rest = relative(root, path);
  return rest === '' || (!isAbsolute(rest) && rest !== '..' && !rest.startsWith(`..${sep}`));
}

/** The real path of what may not exist yet: links of its deepest existing ancestor are followed. */
async function realpathOfFuture(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A dangling link has no real path: it must not pass for a file that is yet to be made.
    const isLink = await lstat(path).then(
      (stat) => stat.isSymbolicLink(),
      () => false,
    );
    if (code !== 'ENOENT' || isLink || dirname(path) === path) throw error;
    return join(await realpathOfFuture(dirname(path)), basename(path));
  }
}

function assertName(name: string, field: string): void {
  const parts = name.split(/[/\\]/);
  if (name.startsWith('-')) throw new ToolError(`${field}: "${name}" must not start with "-"`);
  if (parts.includes('..')) throw new ToolError(`${field}: "${name}" must not contain ".."`);
  if (parts.some((part) => part.toLowerCase() === '.git'))
    throw new ToolError(`${field}: "${name}" must not reach into a .git folder`);
  if (process.platform === 'win32' && parts.some((part) => windowsDevice.test(part))) {
    throw new ToolError(`${field}: "${name}" is a reserved name on Windows`);
  }
}

async function resolveIn(root: string, name: string, field: string): Promise<string | undefined> {
  const path = await realpathOfFuture(resolve(root, name)).catch((error: unknown) => {
    throw new ToolError(
      `${field}: "${name}" cannot be resolved (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    );
  });
  return isInside(root, path) && path !== root ? path : undefined;
}

function refuse(name: string, roots: readonly string[], field: string): never {
  throw new ToolError(`${field}: "${name}" is outside the allowed folders (${roots.join(', ')})`);
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** The real absolute path of a name inside a root that exists already; ToolError says what there is to do else. */
export async function resolveExisting(
  context: GitContext,
  name: string,
  field = 'repository',
): Promise<string> {
  assertName(name, field);
  const roots = await openRoots(context);
  const paths = await Promise.all(roots.map((root) => resolveIn(root, name, field)));
  const inside = paths.filter((path) => path !== undefined);
  if (inside.length === 0) refuse(name, roots, field);
  for (const path of inside) if (await exists(path)) return path;
  throw new ToolError(
    `${field}: there is no "${name}"; git_list_repositories shows what there is, git_init makes a new one`,
  );
}

/** Where a new repository goes: in the named root if the path is absolute, else in the first. */
export async function resolveNew(context: GitContext, name: string, field = 'repository'): Promise<string> {
  assertName(name, field);
  const roots = await openRoots(context);
  for (const root of isAbsolute(name) ? roots : roots.slice(0, 1)) {
    const path = await resolveIn(root, name, field);
    if (path === undefined) continue;
    if (await exists(path)) throw new ToolError(`${field}: "${name}" is there already; choose another name`);
    return path;
  }
  return refuse(name, roots, field);
}

/** The shortest name by which a repository is found again. */
export function nameOf(path: string, roots: readonly string[]): string {
  const root = roots.find((candidate) => isInside(candidate, path));
  return root === undefined || root !== roots[0] ? path : relative(root, path).split(sep).join('/');
}
