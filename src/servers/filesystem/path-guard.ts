/** Where a path leads: through links, in either Unicode form, and only inside the roots. */

import { lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ToolError } from '../../kernel/define-server.ts';
import type { FileContext } from './file-settings.ts';
import { checkPathText } from './path-text.ts';

/** A folder that may be used. */
export interface Root {
  /** As configured. */
  readonly path: string;
  /** With all links resolved. */
  readonly real: string;
}

/** A path inside a root. No part of `path` but the last is a link. */
export interface Located {
  readonly path: string;
  /** As tools show and take it: relative to the first root, or absolute in another. */
  readonly shown: string;
  readonly exists: boolean;
  readonly root: Root;
  /** Name of the argument, for errors. */
  readonly field: string;
}

export interface LocateOptions {
  /** Name of the argument, for errors. */
  readonly field?: string;
  /** False to get a link itself in the last place, not what it points to. */
  readonly follow?: boolean;
}

/** The roots that exist; the server's own folder is made when none is configured. */
export async function openRoots(context: FileContext): Promise<Root[]> {
  const { roots } = context.settings;
  const own = join(context.instance.dataDir, 'files');
  if (roots.length === 0) await mkdir(own, { recursive: true });
  const found = await Promise.all(
    (roots.length === 0 ? [own] : roots).map(async (path) => {
      const real = await realpath(path).catch(() => undefined);
      return real === undefined ? [] : { path: resolve(path), real };
    }),
  );
  if (found.flat().length > 0) return found.flat();
  throw new ToolError('none of the folders in the setting roots exists; the operator must correct it');
}

/** True when `path` is the folder or inside it; both absolute. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** Finds a path of an argument. Throws a ToolError when it leaves the roots. */
export async function locate(
  input: string,
  context: FileContext,
  options: LocateOptions = {},
): Promise<Located> {
  const { field = 'path', follow = true } = options;
  checkPathText(input, field);
  const roots = await openRoots(context);
  const absolute = isAbsolute(input) ? resolve(input) : resolve(roots[0]!.real, input);
  const start = startOf(roots, absolute);
  if (!start) throw outside(input, field, roots);
  const segments = start.way.split(sep).filter((segment) => segment !== '');
  let path = start.root.real;
  for (const [index, segment] of segments.entries()) {
    const rest = segments.slice(index);
    const name = await nameOnDisk(path, segment);
    if (name === undefined) return missing(await realInside(path, input, field, roots), rest, roots, field);
    const next = join(path, name);
    const isLast = rest.length === 1;
    if (!(await lstat(next)).isSymbolicLink()) path = next;
    else if (isLast && !follow) return { ...describe(next, roots), exists: true, field };
    else path = await followLink(next, input, field, roots);
  }
  const real = await realInside(path, input, field, roots);
  return { ...describe(real, roots), exists: true, field };
}

function startOf(roots: readonly Root[], absolute: string): { root: Root; way: string } | undefined {
  for (const root of roots) {
    for (const folder of [root.real, root.path]) {
      if (isInside(folder, absolute)) return { root, way: relative(folder, absolute) };
    }
  }
  return undefined;
}

async function followLink(
  link: string,
  input: string,
  field: string,
  roots: readonly Root[],
): Promise<string> {
  try {
    return await realInside(link, input, field, roots);
  } catch (error) {
    if (error instanceof ToolError) throw error;
    throw new ToolError(`${field}: ${input} goes through a broken link`, { cause: error });
  }
}

/** The true path, inside a root; on case-insensitive disks this also gives names their true case. */
async function realInside(
  path: string,
  input: string,
  field: string,
  roots: readonly Root[],
): Promise<string> {
  const real = await realpath(path);
  if (roots.some((root) => isInside(root.real, real))) return real;
  throw outside(input, field, roots);
}

/** Something that is not there (yet); new names are written in NFC. */
function missing(folder: string, rest: readonly string[], roots: readonly Root[], field: string): Located {
  const path = join(folder, ...rest.map((name) => name.normalize('NFC')));
  return { ...describe(path, roots), exists: false, field };
}

/** The name under which a folder has an entry: as given, or in the other Unicode form. */
async function nameOnDisk(folder: string, name: string): Promise<string | undefined> {
  try {
    await lstat(join(folder, name));
    return name;
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) throw error;
    if (hasCode(error, 'ENOTDIR'))
      throw new ToolError(`path: ${name} lies below something that is no folder`);
  }
  // ASCII has one form only.
  if (Buffer.byteLength(name) === name.length) return undefined;
  const wanted = name.normalize('NFC');
  return (await readdir(folder)).find((entry) => entry.normalize('NFC') === wanted);
}

function describe(path: string, roots: readonly Root[]): { path: string; shown: string; root: Root } {
  const root = roots.find(({ real }) => isInside(real, path))!;
  return { path, shown: showPath(path, roots), root };
}

/** A real path as tools show and take it. */
export function showPath(path: string, roots: readonly Root[]): string {
  const first = roots[0]!.real;
  if (!isInside(first, path)) return path;
  return relative(first, path).split(sep).join('/') || '.';
}

function outside(input: string, field: string, roots: readonly Root[]): ToolError {
  const allowed = roots.map(({ path }) => path).join(', ');
  return new ToolError(`${field}: ${input} is outside the allowed folders (${allowed}); see list_roots`);
}

/** True when the error carries one of these codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Throws a ToolError when there is nothing at the place. */
export function mustExist(located: Located): Located {
  if (located.exists) return located;
  throw new ToolError(
    `${located.field}: there is no ${located.shown}; look with list_directory or search_files`,
  );
}

/** Throws a ToolError when a path has come to lead through a link. */
export async function mustStayReal(path: string, located: Located): Promise<void> {
  if ((await realpath(path).catch(() => undefined)) !== path) throw replaced(located);
}

/** The error for a path that is no longer what was located. */
export function replaced(located: Located): ToolError {
  return new ToolError(`${located.field}: ${located.shown} was replaced meanwhile; try again`);
}

const words: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'is in use',
  EDQUOT: 'no space left',
  EEXIST: 'exists already',
  EISDIR: 'is a folder, not a file',
  ELOOP: 'is a link that changed meanwhile',
  EINVAL: 'is not possible there',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'does not exist',
  ENOSPC: 'no space left',
  ENOTDIR: 'lies below something that is no folder',
  ENOTEMPTY: 'the folder is not empty',
  ENXIO: 'is not a regular file',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};

/** Words for an error of the file system, without a path of the machine; undefined for any other error. */
export function describeCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return words[String(error.code)] ?? String(error.code);
}

/** Turns an error of the file system into a ToolError that names the place; others pass. */
export function readable(error: unknown, located: Located): unknown {
  const problem = describeCode(error);
  if (problem === undefined) return error;
  return new ToolError(`${located.field}: ${located.shown}: ${problem}`, { cause: error });
}
