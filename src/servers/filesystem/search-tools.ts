/** Tools that find files by name and by content. */

import { TextDecoder } from 'node:util';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import { type ContentSearcher, withSearcher } from './content-searcher.ts';
import type { FileContext } from './file-settings.ts';
import { defineFileTool, looks, pathShape, shownShape } from './file-tool.ts';
import { excludeShape, locateFolder } from './folder-tools.ts';
import { compileGlob, compileGlobs, type GlobMatcher } from './glob.ts';
import { type Located, locate, mustExist, openRoots, type Root, showPath } from './path-guard.ts';
import { lookAt, readWhole, typeOf } from './read-tools.ts';
import { detectEncoding } from './text-encoding.ts';
import { walkFolder, type WalkEntry } from './walk-folder.ts';

const maxDepth = 100;
const stoppedShape = z
  .enum(['limit', 'time'])
  .optional()
  .describe('Why the search ended early: limit reached, or out of time; narrow the path or the pattern.');

/** A signal that also ends when the time of a search is over. */
function searchSignal(context: FileContext): { signal: AbortSignal; isOver: () => boolean } {
  const timeout = AbortSignal.timeout(context.settings.searchTimeoutMs);
  const signal = AbortSignal.any([context.signal, timeout]);
  return { signal, isOver: () => timeout.aborted && !context.signal.aborted };
}

export const searchFiles = defineFileTool({
  name: 'search_files',
  title: 'Find files by name',
  description:
    'Find files and folders by a glob pattern, in all folders below path: *.md finds by name at any depth, ' +
    'src/**/*.test.ts by path. {a,b}, ? and [a-z] work too. Use search_content to look inside files.',
  input: z.strictObject({
    pattern: z
      .string()
      .min(1)
      .max(500)
      .describe('Glob pattern; without / it is compared with the name alone.'),
    path: pathShape.default('.'),
    type: z.enum(['any', 'file', 'folder']).default('any').describe('What to find.'),
    exclude: excludeShape,
    limit: z.number().int().min(1).max(5000).default(200).describe('Most matches.'),
  }),
  output: z.object({
    matches: z
      .array(
        z.object({
          path: shownShape,
          type: z.enum(['file', 'folder', 'link', 'other']).describe('A link is not followed.'),
        }),
      )
      .describe('In the order of the paths.'),
    stopped: stoppedShape,
  }),
  annotations: looks,
  run: async (args, context) => {
    const start = await locateFolder(args.path, context);
    const roots = await openRoots(context);
    const matcher = compileGlob(args.pattern);
    const { signal, isOver } = searchSignal(context);
    const matches: { path: string; type: ReturnType<typeof typeOf> }[] = [];
    try {
      for await (const { entry, path, relative } of entriesBelow(start, args.exclude, signal)) {
        const type = typeOf(entry);
        if ((args.type !== 'any' && args.type !== type) || !matcher(relative)) continue;
        if (matches.length === args.limit) return { matches, stopped: 'limit' as const };
        matches.push({ path: showPath(path, roots), type });
      }
    } catch (error) {
      if (!isOver()) throw error;
      return { matches, stopped: 'time' as const };
    }
    return { matches };
  },
});

function entriesBelow(
  start: Located,
  exclude: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<WalkEntry> {
  return walkFolder(start, { maxDepth, exclude: compileGlobs(exclude, 'exclude'), signal });
}

const hitShape = z.object({
  path: shownShape,
  line: z.number().int().describe('Line number from 1.'),
  text: z.string().describe('The line; a very long one is cut around the match.'),
  before: z.array(z.string()).optional().describe('Lines before it.'),
  after: z.array(z.string()).optional().describe('Lines after it.'),
});

export const searchContent = defineFileTool({
  name: 'search_content',
  title: 'Find text in files',
  description:
    'Find lines in the text files below a folder, or in one file: literal text, or a regular expression of JavaScript ' +
    'with regex. Returns path, line number and line. Binary and very large files are skipped and counted.',
  input: z.strictObject({
    pattern: z.string().min(1).max(1000).describe('Text to find within a line, or a regular expression.'),
    path: pathShape.default('.'),
    regex: z
      .boolean()
      .default(false)
      .describe('Take pattern as a regular expression (JavaScript, Unicode mode).'),
    caseSensitive: z.boolean().default(false).describe('Tell upper from lower case.'),
    files: z
      .string()
      .min(1)
      .max(500)
      .default('*')
      .describe('Glob pattern of the files to search, e.g. *.{ts,tsx}.'),
    exclude: excludeShape,
    contextLines: z.number().int().min(0).max(10).default(0).describe('Lines to show before and after each.'),
    limit: z.number().int().min(1).max(1000).default(100).describe('Most lines.'),
  }),
  output: z.object({
    hits: z.array(hitShape).describe('In the order of paths and lines.'),
    filesSearched: z.number().int().describe('Text files looked into.'),
    filesSkipped: z.number().int().describe('Binary, too large or unreadable files.'),
    stopped: stoppedShape,
  }),
  annotations: looks,
  run: async (args, context) => {
    const start = mustExist(await locate(args.path, context));
    const files = compileGlob(args.files, 'files');
    const { signal, isOver } = searchSignal(context);
    const search: Search = {
      ...args,
      start,
      files,
      signal,
      isOver,
      context,
      roots: await openRoots(context),
    };
    return withSearcher(args, context.signal, (searcher) => searchAll(search, searcher));
  },
});

interface Search {
  readonly start: Located;
  readonly roots: readonly Root[];
  readonly files: GlobMatcher;
  readonly exclude: readonly string[];
  readonly contextLines: number;
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
  readonly context: FileContext;
}

async function searchAll(search: Search, searcher: ContentSearcher) {
  const hits: z.input<typeof hitShape>[] = [];
  const counts = { filesSearched: 0, filesSkipped: 0 };
  try {
    for await (const located of filesOf(search)) {
      const text = await textOf(located, search.context);
      counts[text === undefined ? 'filesSkipped' : 'filesSearched']++;
      search.signal.throwIfAborted();
      if (text === undefined) continue;
      for (const hit of await searcher.search(text, search.limit + 1 - hits.length, search.signal)) {
        if (hits.length === search.limit) return { hits, ...counts, stopped: 'limit' as const };
        const around = search.contextLines > 0 ? { before: [...hit.before], after: [...hit.after] } : {};
        hits.push({ path: located.shown, line: hit.line, text: hit.text, ...around });
      }
    }
  } catch (error) {
    if (!search.isOver()) throw error;
    return { hits, ...counts, stopped: 'time' as const };
  }
  return { hits, ...counts };
}

/** The files to search; the start itself when it is a file. */
async function* filesOf({ start, roots, files, exclude, signal }: Search): AsyncGenerator<Located> {
  if (!(await lookAt(start)).isDirectory()) {
    yield start;
    return;
  }
  for await (const { entry, path, relative } of entriesBelow(start, exclude, signal)) {
    if (entry.isFile() && files(relative)) yield { ...start, path, shown: showPath(path, roots) };
  }
}

/** The text of a file, or undefined when it is binary, too large, gone or forbidden. */
async function textOf(located: Located, context: FileContext): Promise<string | undefined> {
  try {
    const bytes = await readWhole(located, context);
    const { encoding, markBytes } = detectEncoding(bytes.subarray(0, 64 * 1024));
    if (encoding === 'binary') return undefined;
    return new TextDecoder(encoding).decode(bytes.subarray(markBytes));
  } catch (error) {
    if (error instanceof ToolError) return undefined;
    throw error;
  }
}
