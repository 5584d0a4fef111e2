/** Tools that read history: log, show, one file, blame. */

import { z } from 'zod';
import { isUtf8 } from 'node:buffer';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { blameRunShape, parseBlame } from './blame.ts';
import { changesFields, readChanges } from './changes.ts';
import { commitFormat, commitShape, parseCommits } from './commits.ts';
import { commitOf, pathShape, pathsShape, revisionShape } from './input-shapes.ts';
import { openRepository } from './repository.ts';
import { repositoryShape } from './roots.ts';
import type { GitContext } from './settings.ts';
import { reading } from './status-tools.ts';

const textFilter = z.string().min(1).max(200);
const dateShape = z
  .string()
  .max(40)
  .regex(/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}:?\d{2})?)?$/, {
    error: 'must be an ISO 8601 date such as 2026-03-01 or 2026-03-01T12:00:00Z',
  });

const gitLog = defineTool({
  name: 'git_log',
  title: 'History',
  description:
    'Lists commits, newest first, with author, dates, refs and message; filtered by path, author, words in the message or dates. Use it to learn what changed, when and by whom; git_show has the changes of one commit.',
  input: z.strictObject({
    repository: repositoryShape,
    ref: revisionShape.default('HEAD').describe('Where to start; default HEAD.'),
    exclude: revisionShape.optional().describe('Leave out what this revision has already, e.g. main.'),
    paths: pathsShape.optional(),
    author: textFilter.optional().describe('Only commits whose author has this in name or mail address.'),
    message: textFilter.optional().describe('Only commits whose message has this text, in any case.'),
    since: dateShape.optional().describe('Only commits after this ISO 8601 date.'),
    until: dateShape.optional().describe('Only commits before this ISO 8601 date.'),
    firstParent: z.boolean().default(false).describe('True follows the main line only, through merges.'),
    skip: z.number().int().min(0).max(1_000_000).default(0).describe('Commits to skip; default 0.'),
    limit: z.number().int().min(1).max(500).default(30).describe('Most commits to return; default 30.'),
  }),
  output: z.object({
    commits: z.array(commitShape).describe('Commits, newest first.'),
    nextSkip: z
      .number()
      .int()
      .optional()
      .describe('Value of skip for the next page; absent on the last one.'),
  }),
  annotations: reading,
  async run(args, context: GitContext) {
    const repository = await openRepository(context, args.repository);
    const start = await commitOf(repository, args.ref, 'ref');
    const exclude =
      args.exclude === undefined ? [] : [`^${await commitOf(repository, args.exclude, 'exclude')}`];
    const filters = Object.entries({
      author: args.author,
      grep: args.message,
      since: args.since,
      until: args.until,
    });
    const { text } = await repository.read([
      'log',
      '-z',
      commitFormat,
      '--fixed-strings',
      '--regexp-ignore-case',
      `--max-count=${args.limit + 1}`,
      `--skip=${args.skip}`,
      ...(args.firstParent ? ['--first-parent'] : []),
      ...filters.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
      start,
      ...exclude,
      '--',
      ...(args.paths ?? []),
    ]);
    const commits = parseCommits(text);
    const hasMore = commits.length > args.limit;
    return { commits: commits.slice(0, args.limit), ...(hasMore && { nextSkip: args.skip + args.limit }) };
  },
});

const gitShow = defineTool({
  name: 'git_show',
  title: 'Show a commit',
  description:
    'Shows one commit: author, dates, message, the files it changed with line counts, and the patch against its first parent. Use git_read_file for the content of a file at a revision.',
  input: z.strictObject({
    repository: repositoryShape,
    ref: revisionShape.default('HEAD').describe('The commit; default HEAD.'),
    paths: pathsShape.optional(),
    statOnly: z.boolean().default(false).describe('True leaves out the patch.'),
  }),
  output: commitShape.extend(changesFields),
  annotations: reading,
  async run({ ref, paths, statOnly, ...args }, context: GitContext) {
    const repository = await openRepository(context, args.repository);
    const id = await commitOf(repository, ref, 'ref');
    const { text } = await repository.read(['log', '-z', '--max-count=1', commitFormat, id, '--']);
    const commit = parseCommits(text)[0];
    if (!commit) throw new ToolError(`ref: the commit ${id} cannot be read`);
    const changes = await readChanges(repository, ['show', '--format=', '--diff-merges=first-parent'], {
      rest: [id, '--', ...(paths ?? [])],
      patch: !statOnly,
      maxBytes: context.settings.maxOutputBytes,
    });
    return { ...commit, ...changes };
  },
});

const gitReadFile = defineTool({
  name: 'git_read_file',
  title: 'Read a file at a revision',
  description:
    'Reads a file as it is in a commit, branch or tag, without checking it out. Returns text, or base64 for a binary file, with size and blob id.',
  input: z.strictObject({
    repository: repositoryShape,
    path: pathShape,
    ref: revisionShape.default('HEAD').describe('Revision to read from; default HEAD.'),
  }),
  output: z.object({
    path: z.string().describe('Path inside the repository.'),
    commit: z.string().describe('Commit it was read from.'),
    blob: z.string().describe('Id of the content.'),
    bytes: z.number().int().describe('Size of the whole file.'),
    encoding: z.enum(['utf8', 'base64']).describe('How "content" is written.'),
    content: z.string().describe('The content, cut at maxOutputBytes.'),
    truncated: z.boolean().describe('True when it was cut.'),
  }),
  annotations: reading,
  async run({ path, ref, ...args }, context: GitContext) {
    const repository = await openRepository(context, args.repository);
    const commit = await commitOf(repository, ref, 'ref');
    const { text } = await repository.read(['ls-tree', '-z', '--long', '--full-tree', commit, '--', path]);
    const [, type, blob = '', size] = /^\d+ (\w+) ([0-9a-f]+) +(\d+|-)\t/.exec(text) ?? [];
    if (type !== 'blob') {
      throw new ToolError(
        `path: "${path}" is ${type === undefined ? 'not in' : `a ${type}, not a file, in`} ${ref}; git_search and git_show name files`,
      );
    }
    const { maxOutputBytes } = context.settings;
    const { stdout, truncated } = await repository.read(['cat-file', 'blob', blob], {
      maxBytes: maxOutputBytes,
    });
    const isText = !stdout.includes(0) && (isUtf8(stdout) || (truncated && isUtf8(cutCharacter(stdout))));
    const encoding: 'utf8' | 'base64' = isText ? 'utf8' : 'base64';
    const shown = isText && truncated ? cutCharacter(stdout) : stdout;
    return {
      path,
      commit,
      blob,
      bytes: Number(size),
      encoding,
      content: shown.toString(encoding),
      truncated,
    };
  },
});

/** Drops a character of UTF-8 that the limit cut in two. */
function cutCharacter(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes.length - end < 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  return isUtf8(bytes) ? bytes : bytes.subarray(0, Math.max(0, end - 1));
}

const maxBlameLines = 2000;

const gitBlame = defineTool({
  name: 'git_blame',
  title: 'Who wrote which line',
  description:
    'Says for each line of a file which commit it came with, by whom and when; neighbouring lines of one commit are grouped. At most 2,000 lines a call: give startLine and endLine for a part. Use it to find out why a line is as it is.',
  input: z.strictObject({
    repository: repositoryShape,
    path: pathShape,
    ref: revisionShape.default('HEAD').describe('Revision to look at; default HEAD.'),
    startLine: z.number().int().min(1).default(1).describe('First line; default 1.'),
    endLine: z.number().int().min(1).optional().describe('Last line; 2,000 lines from startLine at most.'),
  }),
  output: z.object({
    path: z.string().describe('Path inside the repository.'),
    runs: z.array(blameRunShape).describe('Runs of lines in order.'),
  }),
  annotations: reading,
  async run({ path, ref, startLine, endLine, ...args }, context: GitContext) {
    if (endLine !== undefined && endLine < startLine)
      throw new ToolError(`endLine: ${endLine} is before startLine ${startLine}`);
    const repository = await openRepository(context, args.repository);
    const commit = await commitOf(repository, ref, 'ref');
    const count = Math.min(maxBlameLines, (endLine ?? Number.POSITIVE_INFINITY) - startLine + 1);
    const { text } = await repository.read([
      'blame',
      '--porcelain',
      `-L${startLine},+${count}`,
      commit,
      '--',
      path,
    ]);
    return { path, runs: parseBlame(text) };
  },
});

export const historyTools = [gitLog, gitShow, gitReadFile, gitBlame];
