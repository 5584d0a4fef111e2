/** Tools that change index and work tree: add, commit, reset, stash. */

import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { fileChangeShape, readChanges } from './changes.ts';
import { commitOf, pathsShape, revisionShape } from './input-shapes.ts';
import { assertNoLinks } from './linked-folders.ts';
import { openWorkTree, type Repository } from './repository.ts';
import { repositoryShape } from './roots.ts';
import { identityShape, type GitContext } from './settings.ts';
import { operationOf, statusOf, statusShape } from './status.ts';

const changing = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false };
const destructive = { ...changing, destructiveHint: true };

const gitAdd = defineTool({
  name: 'git_add',
  title: 'Stage changes',
  description:
    'Puts changes into the index for the next commit: the given files or folders, or everything with all. Deleted files are staged as deleted, and a file with a settled conflict is marked as settled. Returns the status.',
  input: z.strictObject({
    repository: repositoryShape,
    paths: pathsShape.optional(),
    all: z.boolean().default(false).describe('True stages every change and every untracked file.'),
  }),
  output: statusShape,
  annotations: { ...changing, idempotentHint: true },
  async run({ paths, all, ...args }, context: GitContext) {
    if (all === (paths !== undefined)) throw new ToolError('paths: give either "paths" or all: true');
    const repository = await openWorkTree(context, args.repository);
    await repository.change(['add', '--all', '--', ...(paths ?? ['.'])]);
    return statusOf(repository);
  },
});

const gitCommit = defineTool({
  name: 'git_commit',
  title: 'Commit',
  description:
    'Records the staged changes as a commit and returns its id and files. With paths, commits just these files as they are now. Finishes a merge whose conflicts are settled and staged. Nothing staged is an error.',
  input: z.strictObject({
    repository: repositoryShape,
    message: z
      .string()
      .trim()
      .min(1)
      .max(50_000)
      .refine((text) => !text.includes('\0'), { error: 'must not contain NUL' })
      .describe('First line: what and why, in about 70 characters; then an empty line and details.'),
    paths: pathsShape.optional().describe('Only these tracked files, staged or not.'),
    author: identityShape.optional().describe('Who wrote it; the author of the settings when absent.'),
    allowEmpty: z.boolean().default(false).describe('True makes a commit although nothing changed.'),
  }),
  output: z.object({
    commit: z.string().describe('Id of the new commit.'),
    branch: z.string().nullable().describe('Branch it is on; null when HEAD is detached.'),
    files: z.array(fileChangeShape).describe('Files it changed against its first parent.'),
  }),
  annotations: changing,
  async run({ message, paths, author, allowEmpty, ...args }, context: GitContext) {
    const repository = await openWorkTree(context, args.repository);
    const before = await statusOf(repository);
    if (before.conflicts.length > 0) {
      throw new ToolError(
        `conflicts are not settled in ${before.conflicts.map((c) => c.path).join(', ')}; edit them, then git_add`,
      );
    }
    if (before.staged.length === 0 && paths === undefined && !allowEmpty && before.operation !== 'merge') {
      throw new ToolError('nothing is staged; use git_add first, or name the changed files in "paths"');
    }
    if (paths) await assertNoLinks(repository, paths);
    await repository.change(
      [
        'commit',
        '--quiet',
        '--file=-',
        '--cleanup=whitespace',
        ...(context.settings.runHooks ? [] : ['--no-verify']),
        ...(allowEmpty ? ['--allow-empty'] : []),
        ...(paths === undefined ? [] : ['--only', '--', ...paths]),
      ],
      { input: message, author: author ?? context.settings.author },
    );
    const commit = await commitOf(repository, 'HEAD', 'commit');
    const { files } = await readChanges(repository, ['show', '--format=', '--diff-merges=first-parent'], {
      rest: [commit],
      patch: false,
      maxBytes: 0,
    });
    return { commit, branch: before.branch, files };
  },
});

const isDirty = (status: Awaited<ReturnType<typeof statusOf>>): boolean =>
  status.staged.length > 0 || status.unstaged.length > 0;

/** Keeps what a hard reset throws away as a commit under refs/git-memory/backup, where no cleanup takes it. */
async function keepForRescue(repository: Repository): Promise<string | null> {
  const status = await statusOf(repository);
  if (!isDirty(status) || status.conflicts.length > 0 || status.commit === null) return null;
  const { text } = await repository.change(['stash', 'create', 'before git_reset']);
  const commit = text.trim();
  if (commit === '') return null;
  await repository.change(['update-ref', `refs/git-memory/backup/${commit}`, commit]);
  return commit;
}

const gitReset = defineTool({
  name: 'git_reset',
  title: 'Reset',
  description:
    'Moves the current branch to a commit. soft: changes stay staged. mixed (default): changes stay in the files, unstaged; with paths it only unstages these. hard: files are overwritten too and needs confirm: true; uncommitted changes of tracked files are kept first and returned as rescue (get them back with git_stash apply).',
  input: z.strictObject({
    repository: repositoryShape,
    mode: z
      .enum(['soft', 'mixed', 'hard'])
      .default('mixed')
      .describe('What happens to index and files; default mixed.'),
    ref: revisionShape.default('HEAD').describe('Commit to go to; default HEAD.'),
    paths: pathsShape.optional().describe('Only with mixed: unstage just these.'),
    confirm: z.boolean().default(false).describe('Must be true for hard.'),
  }),
  output: z.object({
    commit: z.string().describe('Commit that HEAD is on now.'),
    before: z.string().describe('Commit it was on before; git_reset to it undoes the move.'),
    rescue: z
      .string()
      .nullable()
      .describe('Commit that keeps the changes a hard reset took away; null if there were none.'),
  }),
  annotations: destructive,
  async run({ mode, ref, paths, confirm, ...args }, context: GitContext) {
    if (paths && mode !== 'mixed')
      throw new ToolError(`paths: cannot be used with mode "${mode}"; use mixed`);
    if (mode === 'hard' && !confirm)
      throw new ToolError('confirm: a hard reset overwrites files; pass confirm: true if that is wanted');
    const repository = await openWorkTree(context, args.repository);
    const target = await commitOf(repository, ref, 'ref');
    const before = await commitOf(repository, 'HEAD', 'repository');
    const rescue = mode === 'hard' ? await keepForRescue(repository) : null;
    await repository.change(
      paths ? ['reset', '--quiet', target, '--', ...paths] : ['reset', '--quiet', `--${mode}`, target],
    );
    return { commit: await commitOf(repository, 'HEAD', 'repository'), before, rescue };
  },
});

const stashShape = z.object({
  stash: z.string().describe('Name, e.g. stash@{0}.'),
  commit: z.string().describe('Commit that keeps it.'),
  message: z.string().describe('What it was.'),
});

async function stashesOf(repository: Repository): Promise<z.output<typeof stashShape>[]> {
  const { text } = await repository.read(['stash', 'list', '-z', '--format=tformat:%gd%x00%H%x00%gs']);
  const values = text.split('\0');
  return Array.from({ length: Math.floor(values.length / 3) }, (_, row) => {
    const [stash = '', commit = '', message = ''] = values.slice(row * 3, row * 3 + 3);
    return { stash, commit, message };
  });
}

const stashInput = z.strictObject({
  repository: repositoryShape,
  action: z.enum(['list', 'push', 'apply', 'pop', 'drop']).describe('What to do.'),
  message: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[^\0\r\n]+$/, { error: 'must be one line' })
    .optional()
    .describe('Only for push: what it is.'),
  includeUntracked: z.boolean().default(false).describe('Only for push: true takes untracked files along.'),
  stash: z
    .string()
    .regex(/^(stash@\{\d{1,4}\}|[0-9a-f]{7,64})$/, {
      error: 'must be like stash@{0}, or for apply a commit id',
    })
    .default('stash@{0}')
    .describe(
      'For apply, pop and drop: which; the newest when absent. apply also takes a rescue commit of git_reset.',
    ),
});

async function runStash(
  repository: Repository,
  { action, message, includeUntracked, stash }: z.output<typeof stashInput>,
): Promise<void> {
  if (action === 'push') {
    const options = [
      ...(includeUntracked ? ['--include-untracked'] : []),
      ...(message === undefined ? [] : [`--message=${message}`]),
    ];
    if ((await statusOf(repository)).commit === null)
      throw new ToolError('action: there is no commit yet, so nothing can be stashed; use git_commit');
    const count = (await stashesOf(repository)).length;
    await repository.change(['stash', 'push', '--quiet', ...options]);
    if ((await stashesOf(repository)).length === count)
      throw new ToolError('action: there are no changes to stash');
  } else {
    await repository.change(['stash', action, '--quiet', ...(action === 'drop' ? [] : ['--index']), stash]);
  }
}

const gitStash = defineTool({
  name: 'git_stash',
  title: 'Stash',
  description:
    'Puts uncommitted changes aside (push) and brings them back (apply keeps the stash, pop removes it); list shows what is put aside, drop throws one away. Use push before git_switch when the work tree is not clean. Returns the stashes and the status.',
  input: stashInput,
  output: z.object({
    stashes: z.array(stashShape).describe('Stashes, newest first.'),
    status: statusShape.describe('State of the work tree now.'),
  }),
  annotations: destructive,
  async run(args, context: GitContext) {
    const repository = await openWorkTree(context, args.repository);
    if ((args.action === 'apply' || args.action === 'pop') && (await operationOf(repository)) !== null) {
      throw new ToolError('action: a merge or rebase is half done; finish it first');
    }
    if (args.action !== 'list') await runStash(repository, args);
    return { stashes: await stashesOf(repository), status: await statusOf(repository) };
  },
});

export const commitTools = [gitAdd, gitCommit, gitReset, gitStash];
