/** An opened repository: checked once a call, then Git runs in it with its folder named, never searched for. */

import { randomInt } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolError } from '../../../kernel/define-server.ts';
import { resolveExisting } from './roots.ts';
import { type GitAnswer, runGit, type RunOptions } from './run-git.ts';
import type { GitContext } from './settings.ts';

export interface Repository {
  /** Absolute path of the work tree, or of the repository itself when it is bare. */
  readonly path: string;
  readonly gitDir: string;
  readonly isBare: boolean;
  /** Runs a command that only reads. */
  read(args: readonly string[], options?: Partial<RunOptions>): Promise<GitAnswer>;
  /** Runs a command that changes; waits its turn while another command holds the index lock. */
  change(args: readonly string[], options?: Partial<RunOptions>): Promise<GitAnswer>;
}

/** Keys of a repository's config that name no program, no other folder and no other repository's objects. */
const harmlessKeys: readonly RegExp[] = [
  /^core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol|safecrlf|abbrev|fsync|fsyncmethod|compression|loosecompression|bigfilethreshold|commitgraph|multipackindex|sparsecheckout|sparsecheckoutcone|untrackedcache|splitindex|longpaths|preloadindex|checkstat|trustctime|whitespace|quotepath|packedgitlimit|packedgitwindowsize|hidedotfiles|protectntfs|protecthfs)$/,
  /^remote\.[^\0\n]*\.(url|pushurl|fetch|push|tagopt|mirror|prune|promisor|partialclonefilter|skipdefaultupdate)$/,
  /^branch\.[^\0\n]*\.(remote|pushremote|merge|rebase|description|vscode-merge-base)$/,
  /^submodule\.[^\0\n]*\.(url|active|branch)$/,
  /^extensions\.(objectformat|partialclone|refstorage|noop|preciousobjects)$/,
  /^(user\.(name|email|signingkey)|commit\.gpgsign|author\.(name|email)|committer\.(name|email)|init\.defaultbranch)$/,
  /^(color|column|gc|pack|repack|maintenance|commitgraph|fetch|receive|transfer|push|pull|rerere|feature|index|status|log|diff|merge|rebase|versionsort|lfs|tag|branch|advice)\.[a-z]+$/,
];
/** Harmless in form, yet they name a program or lead elsewhere. */
const harmfulKeys =
  /^(diff\.external|diff\.tool|diff\.orderfile|merge\.tool|lfs\.[a-z]*|gc\.[a-z]*hook|receive\.procreceiverefs|fetch\.bundleuri|pack\.packobjectshook)$/;

const isHarmless = (key: string): boolean =>
  !harmfulKeys.test(key) && harmlessKeys.some((shape) => shape.test(key));

const kindOf = (path: string) =>
  lstat(path).then(
    (stat) => (stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other'),
    () => 'none',
  );

/** Finds the Git folder; links and pointers to other places are refused, as they would lead out of the roots. */
async function findGitDir(path: string, name: string): Promise<{ gitDir: string; isBare: boolean }> {
  const inner = join(path, '.git');
  const innerKind = await kindOf(inner);
  if (innerKind === 'file' || innerKind === 'other') {
    throw new ToolError(
      `repository: the .git of "${name}" points to another place (a linked work tree or submodule); name the repository it belongs to`,
    );
  }
  const gitDir = innerKind === 'folder' ? inner : path;
  const wanted = { HEAD: 'file', config: 'file', objects: 'folder', refs: 'folder' };
  for (const [entry, kind] of Object.entries(wanted)) {
    if ((await kindOf(join(gitDir, entry))) !== kind) {
      throw new ToolError(
        `repository: "${name}" is no Git repository (${entry} is missing or a link); git_list_repositories shows those there are`,
      );
    }
  }
  for (const entry of [
    'commondir',
    'objects/info/alternates',
    'objects/info/http-alternates',
    'config.worktree',
  ]) {
    if ((await kindOf(join(gitDir, entry))) !== 'none') {
      throw new ToolError(
        `repository: "${name}" takes its data from another place (${entry}), which is refused; clone it to have it whole`,
      );
    }
  }
  return { gitDir, isBare: innerKind === 'none' };
}

async function assertHarmlessConfig(gitDir: string, name: string, options: RunOptions): Promise<void> {
  const config = join(gitDir, 'config');
  const { text } = await runGit(
    ['config', '--file', config, '--no-includes', '--list', '-z', '--name-only'],
    options,
  );
  const bad = text.split('\0').find((key) => key !== '' && !isHarmless(key));
  if (bad !== undefined) {
    throw new ToolError(
      `repository: the config of "${name}" sets ${bad}, which can run programs or lead elsewhere; remove it, or set trustRepositoryConfig in the settings`,
    );
  }
}

const lockWaitMs = 5000;

async function waitingForLock(run: () => Promise<GitAnswer>, signal: AbortSignal): Promise<GitAnswer> {
  const deadlineMs = performance.now() + lockWaitMs;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      const isLocked =
        error instanceof ToolError && /index\.lock': File exists|cannot lock ref/.test(error.message);
      if (!isLocked || performance.now() > deadlineMs) throw error;
      await sleep(randomInt(10, 100), undefined, { signal });
    }
  }
}

/** Opens a repository inside the roots; ToolError when it is none, or when its config could run programs. */
export async function openRepository(context: GitContext, name: string): Promise<Repository> {
  const { settings, signal } = context;
  const path = await resolveExisting(context, name);
  const { gitDir, isBare } = await findGitDir(path, name);
  const base: RunOptions = {
    cwd: path,
    signal,
    timeoutMs: settings.timeoutMs,
    runHooks: settings.runHooks,
    committer: settings.author,
    author: settings.author,
  };
  if (!settings.trustRepositoryConfig) await assertHarmlessConfig(gitDir, name, base);
  const place = [`--git-dir=${gitDir}`, ...(isBare ? [] : [`--work-tree=${path}`])];
  const read: Repository['read'] = (args, options) => runGit([...place, ...args], { ...base, ...options });
  return {
    path,
    gitDir,
    isBare,
    read,
    change: (args, options) => waitingForLock(() => read(args, options), options?.signal ?? signal),
  };
}

/** The same for tools that need files: refuses bare repositories. */
export async function openWorkTree(context: GitContext, name: string): Promise<Repository> {
  const repository = await openRepository(context, name);
  if (repository.isBare)
    throw new ToolError(`repository: "${name}" is bare and has no files; clone it first with git_clone`);
  return repository;
}
