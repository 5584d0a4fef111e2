/** Tools about folders: list, draw as a tree, make. */

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import { changes, defineFileTool, looks, pathShape, shownShape } from './file-tool.ts';
import { compileGlobs } from './glob.ts';
import { makeParents } from './open-file.ts';
import { type Located, locate, mustExist, openRoots, showPath } from './path-guard.ts';
import { inFolder } from './pinned-folder.ts';
import { lookAt, typeOf } from './read-tools.ts';
import { walkFolder } from './walk-folder.ts';

/** Folders that hardly anyone wants to look into. */
export const excludeShape = z
  .array(z.string().min(1).max(500))
  .max(100)
  .default(['.git', 'node_modules'])
  .describe('Glob patterns of entries to leave out, with all below them.');

/** The folder at a path. Throws a ToolError when it is something else. */
export async function locateFolder(path: string, context: Parameters<typeof locate>[1]): Promise<Located> {
  const located = mustExist(await locate(path, context));
  if ((await lookAt(located)).isDirectory()) return located;
  throw new ToolError(`path: ${located.shown} is no folder; use read_file or file_info`);
}

export const listDirectory = defineFileTool({
  name: 'list_directory',
  title: 'List a folder',
  description:
    'List the entries of one folder by name with type, size and time, a page at a time. Use tree to see the folders ' +
    'below too, and search_files to find names.',
  input: z.strictObject({
    path: pathShape.default('.'),
    limit: z.number().int().min(1).max(5000).default(500).describe('Most entries of a page.'),
    cursor: z.string().max(1024).optional().describe('nextCursor of the page before.'),
  }),
  output: z.object({
    path: shownShape,
    entries: z
      .array(
        z.object({
          name: z.string().describe('Name in the folder.'),
          type: z.enum(['file', 'folder', 'link', 'other']).describe('A link is not followed.'),
          bytes: z.number().int().describe('Size of the content.'),
          modifiedAt: z.string().describe('ISO 8601 time.'),
        }),
      )
      .describe('In the order of the names.'),
    total: z.number().int().describe('Entries of the folder.'),
    nextCursor: z.string().optional().describe('For the next page, when there is one.'),
  }),
  annotations: looks,
  run: async (args, context) => {
    const located = await locateFolder(args.path, context);
    const { names, page, entries } = await inFolder(located.path, located, async (at) => {
      const names = (await readdir(at)).sort();
      // The cursor is the last name: entries that come and go meanwhile shift nothing.
      const from = args.cursor === undefined ? 0 : names.findIndex((name) => name > args.cursor!);
      const page = from === -1 ? [] : names.slice(from, from + args.limit);
      return { names, page, entries: await Promise.all(page.map((name) => describeEntry(at, name))) };
    });
    const more = page.length > 0 && page.at(-1) !== names.at(-1);
    return {
      path: located.shown,
      entries: entries.flat(),
      total: names.length,
      nextCursor: more ? page.at(-1) : undefined,
    };
  },
});

/** One row of a listing, or none when the entry is gone. */
async function describeEntry(folder: string, name: string) {
  const found = await lstat(join(folder, name)).catch(() => undefined);
  if (!found) return [];
  return { name, type: typeOf(found), bytes: found.size, modifiedAt: found.mtime.toISOString() };
}

export const tree = defineFileTool({
  name: 'tree',
  title: 'Show a folder as a tree',
  description:
    'Draw a folder and the folders below it as an indented text, to get an overview of a project at once.',
  input: z.strictObject({
    path: pathShape.default('.'),
    depth: z.number().int().min(1).max(20).default(3).describe('How many levels.'),
    exclude: excludeShape,
    limit: z.number().int().min(1).max(5000).default(500).describe('Most entries.'),
  }),
  output: z.object({
    path: shownShape,
    tree: z.string().describe('One entry a line, two spaces a level; folders end in /, links in @.'),
    entries: z.number().int().describe('How many entries are shown.'),
    truncated: z.boolean().describe('True when there are more than limit.'),
  }),
  annotations: looks,
  run: async (args, context) => {
    const located = await locateFolder(args.path, context);
    const exclude = compileGlobs(args.exclude, 'exclude');
    const lines: string[] = [];
    let truncated = false;
    for await (const { entry, depth } of walkFolder(located, {
      maxDepth: args.depth,
      exclude,
      signal: context.signal,
    })) {
      truncated = lines.length === args.limit;
      if (truncated) break;
      const mark = entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : '';
      lines.push(`${'  '.repeat(depth - 1)}${entry.name}${mark}`);
    }
    return { path: located.shown, tree: lines.join('\n'), entries: lines.length, truncated };
  },
});

export const createDirectory = defineFileTool({
  name: 'create_directory',
  title: 'Make a folder',
  description: 'Make a folder and the folders above it that are missing. No error when it is there already.',
  input: z.strictObject({ path: pathShape }),
  output: z.object({ path: shownShape, created: z.boolean().describe('False when it was there already.') }),
  annotations: changes({ destructive: false, idempotent: true }),
  run: async (args, context) => {
    const located = await locate(args.path, context);
    if (located.exists) {
      await locateFolder(args.path, context);
      return { path: located.shown, created: false };
    }
    // The folder itself is the parent of a name inside it.
    await makeParents({ ...located, path: join(located.path, 'x') });
    return { path: showPath(located.path, await openRoots(context)), created: true };
  },
});
