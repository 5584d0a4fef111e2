/** Tools that move and copy files and folders. */

import { cp, lstat, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import type { FileContext } from './file-settings.ts';
import { changes, defineFileTool, pathShape, shownShape } from './file-tool.ts';
import { makeParents } from './open-file.ts';
import { hasCode, isInside, type Located, locate, mustExist, readable } from './path-guard.ts';
import { inFolder } from './pinned-folder.ts';
import { lookAt } from './read-tools.ts';
import { walkFolder } from './walk-folder.ts';

/** A copy of more is a mistake more often than a wish. */
const maxCopiedEntries = 20_000;
const maxCopiedBytes = 2 * 1024 ** 3;

const fields = {
  from: pathShape.describe('What to take; a path as for the other tools.'),
  to: pathShape.describe(
    'Where it goes: the new path itself, not the folder around it. Folders above are made.',
  ),
  overwrite: z.boolean().default(false).describe('Replace an existing file; a folder is never replaced.'),
};

/** Both ends, checked: the source itself (a link as a link), and a free or replaceable target. */
async function locateEnds(args: { from: string; to: string; overwrite: boolean }, context: FileContext) {
  const from = mustExist(await locate(args.from, context, { field: 'from', follow: false }));
  const to = await locate(args.to, context, { field: 'to', follow: false });
  mustNotBeRoot(from);
  if (to.exists) {
    const isFolder = (await lookAt(to)).isDirectory();
    if (isFolder)
      throw new ToolError(`to: ${to.shown} is a folder; give the full new path, e.g. ${to.shown}/name`);
    if (!args.overwrite)
      throw new ToolError(`to: ${to.shown} exists; set overwrite to true or choose another name`);
  }
  if (isInside(from.path, to.path)) throw new ToolError(`to: ${to.shown} is ${from.shown} or lies inside it`);
  if (!to.exists) await makeParents(to);
  return { from, to };
}

/** Throws a ToolError for a root: it is not the server's to take away. */
export function mustNotBeRoot(located: Located): void {
  if (located.path !== located.root.real) return;
  throw new ToolError(`${located.field}: ${located.shown} is an allowed folder itself and stays where it is`);
}

/** Renames, or across disks copies and removes. */
export async function moveEntry(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error;
    await copyEntry(from, to);
    await rm(from, { recursive: true, force: true });
  }
}

/** Copies a file, link or folder; links stay links, so nothing outside is copied in. */
async function copyEntry(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, force: true });
}

/** Runs `work` with a path of the entry whose folder cannot be swapped meanwhile. */
export async function atEntry<T>(located: Located, work: (path: string) => Promise<T>): Promise<T> {
  try {
    return await inFolder(dirname(located.path), located, (at) => work(join(at, basename(located.path))));
  } catch (error) {
    throw readable(error, located);
  }
}

export const move = defineFileTool({
  name: 'move',
  title: 'Move or rename',
  description:
    'Move or rename a file, folder or link. to is the new path itself. Nothing is replaced unless overwrite is true.',
  input: z.strictObject(fields),
  output: z.object({ from: shownShape, to: shownShape }),
  annotations: changes({ destructive: true, idempotent: false }),
  run: async (args, context) => {
    const { from, to } = await locateEnds(args, context);
    await atEntry(from, (source) => atEntry(to, (target) => moveEntry(source, target)));
    return { from: from.shown, to: to.shown };
  },
});

export const copy = defineFileTool({
  name: 'copy',
  title: 'Copy',
  description:
    'Copy a file or a whole folder (up to 20,000 entries and 2 GiB). to is the new path itself. Links are copied as ' +
    'links. Nothing is replaced unless overwrite is true.',
  input: z.strictObject(fields),
  output: z.object({
    from: shownShape,
    to: shownShape,
    entries: z.number().int().describe('Files, folders and links copied.'),
    bytes: z.number().int().describe('Size of the files.'),
  }),
  annotations: changes({ destructive: true, idempotent: true }),
  run: async (args, context) => {
    const { from, to } = await locateEnds(args, context);
    const size = await measure(from, context);
    await atEntry(from, (source) => atEntry(to, (target) => copyEntry(source, target)));
    return { from: from.shown, to: to.shown, ...size };
  },
});

async function measure(from: Located, context: FileContext): Promise<{ entries: number; bytes: number }> {
  const start = await lookAt(from);
  let [entries, bytes] = [1, start.isFile() ? start.size : 0];
  if (start.isDirectory()) {
    for await (const { path, entry } of walkFolder(from, {
      maxDepth: 100,
      exclude: () => false,
      signal: context.signal,
    })) {
      entries++;
      if (entry.isFile()) bytes += (await lstat(path)).size;
      if (!entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink()) {
        throw new ToolError(`from: ${entry.name} is a device, pipe or socket and cannot be copied`);
      }
      if (entries > maxCopiedEntries || bytes > maxCopiedBytes) break;
    }
  }
  if (entries <= maxCopiedEntries && bytes <= maxCopiedBytes) return { entries, bytes };
  throw new ToolError(
    `from: ${from.shown} has over ${maxCopiedEntries} entries or ${maxCopiedBytes} bytes; copy parts of it`,
  );
}
