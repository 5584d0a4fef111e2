/** Tools that show what changed: status and diff. */

import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { changesFields, readChanges } from './changes.ts';
import { commitOf, pathsShape, revisionShape } from './input-shapes.ts';
import { openRepository, openWorkTree, type Repository } from './repository.ts';
import { repositoryShape } from './roots.ts';
import type { GitContext } from './settings.ts';
import { statusOf, statusShape } from './status.ts';

export const reading = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };

const gitStatus = defineTool({
  name: 'git_status',
  title: 'Status',
  description:
    'Shows the state of a work tree: branch, commit, staged, unstaged and untracked files, conflicts, and a merge or rebase that is half done. Use it before git_add, git_commit, git_switch and git_merge.',
  input: z.strictObject({ repository: repositoryShape }),
  output: statusShape,
  annotations: reading,
  run: async ({ repository }, context: GitContext) => statusOf(await openWorkTree(context, repository)),
});

const diffInput = z.strictObject({
  repository: repositoryShape,
  from: revisionShape
    .optional()
    .describe('Old side: a revision. When absent: the index (or HEAD with staged).'),
  to: revisionShape.optional().describe('New side: a revision. When absent: the work tree.'),
  staged: z
    .boolean()
    .default(false)
    .describe('True compares the index with "from" or HEAD: what the next commit takes.'),
  sinceFork: z
    .boolean()
    .default(false)
    .describe('True compares "to" with the point where it forked off "from".'),
  paths: pathsShape.optional(),
  contextLines: z
    .number()
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe('Unchanged lines around a change; default 3.'),
  statOnly: z
    .boolean()
    .default(false)
    .describe('True leaves out the patch and lists files with counts only.'),
});

async function sidesOf(repository: Repository, args: z.output<typeof diffInput>): Promise<string[]> {
  const from = args.from === undefined ? undefined : await commitOf(repository, args.from, 'from');
  const to = args.to === undefined ? undefined : await commitOf(repository, args.to, 'to');
  if (to !== undefined && from === undefined) throw new ToolError('from: is needed when "to" is given');
  if (args.staged && to !== undefined)
    throw new ToolError('staged: compares the index with "from"; leave out "to"');
  if (args.sinceFork && to === undefined) throw new ToolError('sinceFork: needs both "from" and "to"');
  if (repository.isBare && to === undefined)
    throw new ToolError('to: a bare repository has no work tree; give "from" and "to"');
  const fork = args.sinceFork ? ['--merge-base'] : [];
  const sides = [from, to].filter((side) => side !== undefined);
  return [...(args.staged ? ['--cached'] : []), ...fork, ...sides];
}

const gitDiff = defineTool({
  name: 'git_diff',
  title: 'Compare',
  description:
    'Compares two states: work tree with index (the default), index with HEAD (staged), or two revisions. Returns the files that differ with line counts and the unified diff. Use statOnly first when much has changed.',
  input: diffInput,
  output: z.object(changesFields),
  annotations: reading,
  async run(args, context: GitContext) {
    const repository = await openRepository(context, args.repository);
    const sides = await sidesOf(repository, args);
    const { contextLines } = args;
    return readChanges(repository, ['diff', ...sides], {
      rest: ['--', ...(args.paths ?? [])],
      patch: !args.statOnly,
      maxBytes: context.settings.maxOutputBytes,
      ...(contextLines !== undefined && { contextLines }),
    });
  },
});

export const statusTools = [gitStatus, gitDiff];
