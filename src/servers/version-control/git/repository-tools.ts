/** Tools that make and find repositories: init, clone, list. */

import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { AppError } from '../../../kernel/errors.ts';
import { checkSource } from './clone-source.ts';
import { refNameShape } from './input-shapes.ts';
import { nameOf, openRoots, repositoryShape, resolveNew } from './roots.ts';
import { runGit } from './run-git.ts';
import type { GitContext } from './settings.ts';
import { reading } from './status-tools.ts';

const madeFields = {
  repository: z.string().describe('Name to use in other tools.'),
  path: z.string().describe('Absolute path.'),
  branch: z.string().nullable().describe('Branch that HEAD is on; null when it is detached.'),
};

async function branchOfHead(gitDir: string): Promise<string | null> {
  const head = await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '');
  return /^ref: refs\/heads\/(.+)$/m.exec(head)?.[1] ?? null;
}

/** Makes a repository beside its place and moves it there when it is whole, so that nobody sees half of one. */
async function makeWhole(path: string, make: (temporary: string) => Promise<unknown>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.new-${randomUUID()}`);
  try {
    await make(temporary);
    // A rename would silently replace an empty folder that appeared meanwhile.
    const isTaken = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isTaken) throw new ToolError(`repository: ${path} appeared meanwhile; choose another name`);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

const gitInit = defineTool({
  name: 'git_init',
  title: 'New repository',
  description:
    'Makes an empty Git repository inside the allowed folders and returns its name for the other tools. Refused when something is there already. Then add files, git_add and git_commit.',
  input: z.strictObject({
    repository: repositoryShape.describe(
      'Name of the new repository below the root, e.g. "apollo", or an absolute path.',
    ),
    branch: refNameShape.default('main').describe('Name of the first branch; default main.'),
    bare: z.boolean().default(false).describe('True makes one without a work tree, to clone from.'),
  }),
  output: z.object(madeFields),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  async run({ repository, branch, bare }, context: GitContext) {
    const path = await resolveNew(context, repository);
    const { signal, settings } = context;
    await makeWhole(path, async (temporary) => {
      await mkdir(temporary);
      const args = [
        'init',
        '--quiet',
        '--template=',
        `--initial-branch=${branch}`,
        ...(bare ? ['--bare'] : []),
        temporary,
      ];
      await runGit(args, { cwd: temporary, signal, timeoutMs: settings.timeoutMs });
    });
    return { repository: nameOf(path, await openRoots(context)), path, branch };
  },
});

/** The share of each part of a clone that Git reports on standard error, in percent of the whole. */
const parts: Readonly<Record<string, readonly [number, number]>> = {
  'Receiving objects': [0, 80],
  'Resolving deltas': [80, 95],
  'Updating files': [95, 100],
};

function reportProgress(context: GitContext): (text: string) => void {
  let furthest = 0;
  return (text) => {
    for (const [, name = '', percent = ''] of text.matchAll(
      /(Receiving objects|Resolving deltas|Updating files): +(\d+)%/g,
    )) {
      const [from, to] = parts[name] ?? [0, 0];
      const progress = Math.floor(from + ((to - from) * Number(percent)) / 100);
      if (progress <= furthest) continue;
      furthest = progress;
      context.progress({ progress, total: 100, message: name });
    }
  };
}

const gitClone = defineTool({
  name: 'git_clone',
  title: 'Clone',
  description:
    'Clones a repository by https or ssh, or one inside the allowed folders, and returns its name for the other tools. Private addresses, plain http and other transports are refused. Use depth for a big history of which only the end matters. Submodules and LFS files are not fetched.',
  input: z.strictObject({
    url: z
      .string()
      .min(1)
      .max(2000)
      .describe('https://host/path, ssh://host/path, user@host:path, or a repository here.'),
    repository: repositoryShape
      .optional()
      .describe('Name of the clone; the last part of the address when absent.'),
    branch: refNameShape.optional().describe('Branch or tag to check out; the default branch when absent.'),
    depth: z.number().int().min(1).max(1_000_000).optional().describe('Only so many commits of history.'),
    bare: z.boolean().default(false).describe('True makes one without a work tree.'),
  }),
  output: z.object(madeFields),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  async run({ url, repository, branch, depth, bare }, context: GitContext) {
    const { signal, settings } = context;
    const source = await checkSource(context, url);
    const path = await resolveNew(context, repository ?? source.name);
    await makeWhole(path, (temporary) =>
      runGit(
        [
          ...source.options,
          'clone',
          '--progress',
          '--template=',
          '--no-local',
          '--no-recurse-submodules',
          ...(branch === undefined ? [] : [`--branch=${branch}`]),
          ...(depth === undefined ? [] : [`--depth=${depth}`]),
          ...(bare ? ['--bare'] : []),
          '--',
          source.url,
          temporary,
        ],
        {
          cwd: dirname(path),
          signal,
          timeoutMs: settings.cloneTimeoutMs,
          protocols: source.protocols,
          onStderr: reportProgress(context),
        },
      ),
    );
    return {
      repository: nameOf(path, await openRoots(context)),
      path,
      branch: await branchOfHead(bare ? path : join(path, '.git')),
    };
  },
});

const maxDepth = 4;
const maxFolders = 5000;

interface Found {
  readonly path: string;
  readonly isBare: boolean;
}

const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
const isFile = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stat) => stat.isFile(),
    () => false,
  );

async function kindOfFolder(path: string): Promise<'work-tree' | 'bare' | 'other'> {
  if (await isFolder(join(path, '.git'))) return 'work-tree';
  const [hasHead, hasObjects] = await Promise.all([
    isFile(join(path, 'HEAD')),
    isFolder(join(path, 'objects')),
  ]);
  return hasHead && hasObjects ? 'bare' : 'other';
}

/** Walks the roots breadth-first; links and the insides of repositories are not followed. */
async function findRepositories(
  roots: readonly string[],
  signal: AbortSignal,
): Promise<{ found: Found[]; truncated: boolean }> {
  const found: Found[] = [];
  const queue = roots.map((path) => ({ path, depth: 0 }));
  let visited = 0;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (signal.aborted) throw new AppError('REQUEST_CANCELLED');
    visited += 1;
    if (visited > maxFolders) return { found, truncated: true };
    const { path, depth } = next;
    const kind = depth === 0 ? 'other' : await kindOfFolder(path);
    if (kind !== 'other') found.push({ path, isBare: kind === 'bare' });
    if (kind !== 'other' || depth === maxDepth) continue;
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    const folders = entries.filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules',
    );
    queue.push(...folders.map((entry) => ({ path: join(path, entry.name), depth: depth + 1 })));
  }
  return { found, truncated: false };
}

const gitListRepositories = defineTool({
  name: 'git_list_repositories',
  title: 'List repositories',
  description:
    'Lists the Git repositories in the allowed folders, at most four folders deep, with name, path, branch and whether they are bare. Use it first: the other tools take these names.',
  input: z.strictObject({}),
  output: z.object({
    roots: z.array(z.string()).describe('Allowed folders.'),
    repositories: z
      .array(z.object({ ...madeFields, bare: z.boolean().describe('True when it has no work tree.') }))
      .describe('Repositories by name.'),
    truncated: z.boolean().describe('True when there were too many folders to look into.'),
  }),
  annotations: reading,
  async run(_, context: GitContext) {
    const roots = await openRoots(context);
    const { found, truncated } = await findRepositories(roots, context.signal);
    const repositories = await Promise.all(
      found.map(async ({ path, isBare }) => ({
        repository: nameOf(path, roots),
        path,
        branch: await branchOfHead(isBare ? path : join(path, '.git')),
        bare: isBare,
      })),
    );
    repositories.sort((a, b) => (a.repository < b.repository ? -1 : 1));
    return { roots, repositories, truncated };
  },
});

export const repositoryTools = [gitListRepositories, gitInit, gitClone];
