/** The tool that searches the text of files. */

import { z } from 'zod';
import { defineTool } from '../../../kernel/define-server.ts';
import { commitOf, pathsShape, revisionShape } from './input-shapes.ts';
import { pathsBehindLinks } from './linked-folders.ts';
import { openRepository } from './repository.ts';
import { repositoryShape } from './roots.ts';
import type { GitContext } from './settings.ts';
import { reading } from './status-tools.ts';

const maxLineCharacters = 500;

const gitSearch = defineTool({
  name: 'git_search',
  title: 'Search files',
  description:
    'Searches the text of tracked files, in the work tree or at a revision, and returns path, line number and line of each hit. Literal text by default; regex takes a POSIX extended expression. Use it to find where something is used.',
  input: z.strictObject({
    repository: repositoryShape,
    pattern: z
      .string()
      .min(1)
      .max(500)
      .regex(/^[^\0\n\r]+$/, { error: 'must be one line' })
      .describe('What to look for.'),
    ref: revisionShape
      .optional()
      .describe('Revision to search; the work tree when absent (HEAD in a bare repository).'),
    paths: pathsShape.optional(),
    regex: z
      .boolean()
      .default(false)
      .describe('True takes the pattern as a POSIX extended regular expression.'),
    ignoreCase: z.boolean().default(false).describe('True ignores case.'),
    limit: z.number().int().min(1).max(2000).default(100).describe('Most hits to return; default 100.'),
  }),
  output: z.object({
    hits: z
      .array(
        z.object({
          path: z.string().describe('Path inside the repository.'),
          line: z.number().int().describe('Line number, from 1.'),
          text: z.string().describe('The line, cut after 500 characters.'),
        }),
      )
      .describe('Hits by path and line.'),
    truncated: z.boolean().describe('True when there are more hits.'),
  }),
  annotations: reading,
  async run({ pattern, ref, paths, regex, ignoreCase, limit, ...args }, context: GitContext) {
    const repository = await openRepository(context, args.repository);
    const isTree = ref !== undefined || repository.isBare;
    const tree = isTree ? [await commitOf(repository, ref ?? 'HEAD', 'ref')] : [];
    const options = [
      '--no-color',
      '--line-number',
      '--full-name',
      '-z',
      '-I',
      regex ? '--extended-regexp' : '--fixed-strings',
    ];
    const { text, truncated } = await repository.read(
      [
        'grep',
        ...options,
        ...(ignoreCase ? ['--ignore-case'] : []),
        '-e',
        pattern,
        ...tree,
        '--',
        ...(paths ?? []),
      ],
      { okCodes: [1], maxBytes: 5_000_000 },
    );
    // A path with a line break would split its row: such pieces have no line number and are left out.
    const rows = text.split('\n').filter((row) => /\0\d+\0/.test(row));
    const hits = rows.map((row) => {
      const [name = '', line = '', ...rest] = row.split('\0');
      const path = tree[0] === undefined ? name : name.slice(tree[0].length + 1);
      return { path, line: Number(line), text: rest.join('\0').slice(0, maxLineCharacters) };
    });
    const behind = isTree
      ? new Set<string>()
      : await pathsBehindLinks(
          repository,
          hits.map((hit) => hit.path),
        );
    const own = hits.filter((hit) => !behind.has(hit.path));
    return { hits: own.slice(0, limit), truncated: truncated || own.length > limit };
  },
});

export const searchTools = [gitSearch];
