/** Tools for branches and tags. */

import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { commitOf, refNameShape, revisionShape } from './input-shapes.ts';
import { openRepository, openWorkTree, type Repository } from './repository.ts';
import { repositoryShape } from './roots.ts';
import type { GitContext } from './settings.ts';
import { statusOf } from './status.ts';

const destructive = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: false,
};

const maxRefs = 1000;

async function readRefs(
  repository: Repository,
  prefixes: readonly string[],
  fields: readonly string[],
): Promise<string[][]> {
  const format = `--format=${fields.join('%00')}`;
  const { text } = await repository.read([
    'for-each-ref',
    `--count=${maxRefs}`,
    '--sort=-committerdate',
    format,
    ...prefixes,
  ]);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\0'));
}

const branchRowShape = z.object({
  name: z.string().describe('Name of the branch.'),
  commit: z.string().describe('Commit at its tip.'),
  remote: z.boolean().describe('True for a branch of a remote as of the last fetch.'),
  current: z.boolean().describe('True for the branch that HEAD is on.'),
  upstream: z.string().optional().describe('Branch that it follows.'),
  at: z.string().describe('ISO 8601 time of its last commit.'),
  subject: z.string().describe('First line of its last commit message.'),
});

async function branchesOf(repository: Repository): Promise<z.output<typeof branchRowShape>[]> {
  const fields = [
    '%(refname)',
    '%(objectname)',
    '%(HEAD)',
    '%(upstream:short)',
    '%(committerdate:iso-strict)',
    '%(contents:subject)',
  ];
  const rows = await readRefs(repository, ['refs/heads', 'refs/remotes'], fields);
  return rows.map(([ref = '', commit = '', head = '', upstream = '', at = '', subject = '']) => ({
    name: ref.replace(/^refs\/(heads|remotes)\//, ''),
    commit,
    remote: ref.startsWith('refs/remotes/'),
    current: head === '*',
    ...(upstream !== '' && { upstream }),
    at,
    subject,
  }));
}

const gitBranch = defineTool({
  name: 'git_branch',
  title: 'Branches',
  description:
    'Lists, creates, renames or deletes branches and returns the branches there are then, newest first. delete refuses a branch whose commits are nowhere else unless force is set. Use git_switch to go to a branch.',
  input: z.strictObject({
    repository: repositoryShape,
    action: z
      .enum(['list', 'create', 'rename', 'delete'])
      .default('list')
      .describe('What to do; default list.'),
    name: refNameShape.optional().describe('The branch to create, rename or delete.'),
    newName: refNameShape.optional().describe('Only for rename: the new name.'),
    from: revisionShape.default('HEAD').describe('Only for create: where it starts; default HEAD.'),
    force: z
      .boolean()
      .default(false)
      .describe('Only for delete: true deletes commits that are nowhere else.'),
  }),
  output: z.object({
    branches: z.array(branchRowShape).describe('Branches, newest first; at most 1,000.'),
    deletedCommit: z
      .string()
      .optional()
      .describe('Tip of the deleted branch; git_branch create with it brings it back.'),
  }),
  annotations: destructive,
  async run({ action, name, newName, from, force, ...args }, context: GitContext) {
    const repository = await openRepository(context, args.repository);
    if (action === 'list') return { branches: await branchesOf(repository) };
    if (name === undefined) throw new ToolError(`name: is needed to ${action} a branch`);
    if (action === 'create') {
      await repository.change(['branch', '--no-track', name, await commitOf(repository, from, 'from')]);
      return { branches: await branchesOf(repository) };
    }
    const tip = await commitOf(repository, `refs/heads/${name}`, 'name');
    if (action === 'rename') {
      if (newName === undefined) throw new ToolError('newName: is needed to rename a branch');
      await repository.change(['branch', '--move', name, newName]);
      return { branches: await branchesOf(repository) };
    }
    await repository.change(['branch', '--delete', ...(force ? ['--force'] : []), name]);
    return { branches: await branchesOf(repository), deletedCommit: tip };
  },
});

const gitSwitch = defineTool({
  name: 'git_switch',
  title: 'Switch branch',
  description:
    'Goes to a branch, creates one and goes to it (create), or looks at any commit (detach). Refused when uncommitted changes would be overwritten: commit or git_stash them first. Returns branch and commit.',
  input: z.strictObject({
    repository: repositoryShape,
    branch: refNameShape.optional().describe('Branch to go to, or to create.'),
    create: z.boolean().default(false).describe('True creates the branch first.'),
    from: revisionShape.optional().describe('With create: where it starts; HEAD when absent.'),
    detach: revisionShape.optional().describe('Instead of a branch: a commit to look at without a branch.'),
  }),
  output: z.object({
    branch: z.string().nullable().describe('Branch that HEAD is on; null when detached.'),
    commit: z.string().nullable().describe('Commit that HEAD is on; null before the first one.'),
  }),
  annotations: { ...destructive, destructiveHint: false, idempotentHint: true },
  async run({ branch, create, from, detach, ...args }, context: GitContext) {
    if ((branch === undefined) === (detach === undefined))
      throw new ToolError('branch: give either "branch" or "detach"');
    if (from !== undefined && !create)
      throw new ToolError('from: is only for create: true; to look at a commit use "detach"');
    const repository = await openWorkTree(context, args.repository);
    const start = from === undefined ? [] : [await commitOf(repository, from, 'from')];
    const target =
      detach === undefined ? [branch ?? ''] : ['--detach', await commitOf(repository, detach, 'detach')];
    await repository.change([
      'switch',
      '--quiet',
      '--no-guess',
      ...(create ? ['--no-track', '--create'] : []),
      ...target,
      ...start,
    ]);
    const status = await statusOf(repository);
    return { branch: status.branch, commit: status.commit };
  },
});

const tagRowShape = z.object({
  name: z.string().describe('Name of the tag.'),
  commit: z.string().describe('Commit it stands for.'),
  at: z.string().describe('ISO 8601 time of the tag, or of its commit.'),
  message: z.string().optional().describe('First line of its message, if it has one of its own.'),
});

async function tagsOf(repository: Repository): Promise<z.output<typeof tagRowShape>[]> {
  const fields = [
    '%(refname:short)',
    '%(objectname)',
    '%(*objectname)',
    '%(creatordate:iso-strict)',
    '%(objecttype)',
    '%(contents:subject)',
  ];
  const rows = await readRefs(repository, ['refs/tags'], fields);
  return rows.map(([name = '', id = '', target = '', at = '', type = '', subject = '']) => ({
    name,
    commit: target === '' ? id : target,
    at,
    ...(type === 'tag' && { message: subject }),
  }));
}

const gitTag = defineTool({
  name: 'git_tag',
  title: 'Tags',
  description:
    'Lists, creates or deletes tags and returns the tags there are then. With a message the tag is annotated, with author and date. An existing tag is never moved: delete it first.',
  input: z.strictObject({
    repository: repositoryShape,
    action: z.enum(['list', 'create', 'delete']).default('list').describe('What to do; default list.'),
    name: refNameShape.optional().describe('The tag to create or delete.'),
    ref: revisionShape.default('HEAD').describe('Only for create: commit to tag; default HEAD.'),
    message: z
      .string()
      .trim()
      .min(1)
      .max(10_000)
      .refine((text) => !text.includes('\0'), { error: 'must not contain NUL' })
      .optional()
      .describe('Only for create: message of an annotated tag.'),
  }),
  output: z.object({ tags: z.array(tagRowShape).describe('Tags; at most 1,000.') }),
  annotations: destructive,
  async run({ action, name, ref, message, ...args }, context: GitContext) {
    const repository = await openRepository(context, args.repository);
    if (action !== 'list') {
      if (name === undefined) throw new ToolError(`name: is needed to ${action} a tag`);
      const target =
        action === 'create' ? [name, await commitOf(repository, ref, 'ref')] : ['--delete', name];
      const annotation =
        action === 'create' && message !== undefined
          ? ['--annotate', '--file=-', '--cleanup=whitespace']
          : [];
      await repository.change(
        ['tag', ...annotation, ...target],
        message === undefined ? {} : { input: message },
      );
    }
    return { tags: await tagsOf(repository) };
  },
});

export const branchTools = [gitBranch, gitSwitch, gitTag];
