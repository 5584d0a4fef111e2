/**
 * Holds what a push brings against the rules of `push-checks.ts`, before anything of it is taken: bounded in
 * commits, files, bytes and time.
 */

import { AppError } from '../../kernel/errors.ts';
import { runBounded } from '../git/bounded-git.ts';
import { committerEmail } from '../git/commit-message.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import { type FileIdentity, identifyFile, needsStoredKey } from '../files/key-path.ts';
import {
  type ChangedFile,
  type TreeItem,
  type TreeReader,
  changedFiles,
  createTreeReader,
  folderMode,
} from './changed-files.ts';
import {
  type FileProblem,
  type NewCommit,
  allowedRootFiles,
  checkSize,
  contentChecks,
  historyChecks,
  identifyPushed,
  otherPaths,
  twinProblem,
} from './push-checks.ts';

/** A file that breaks a rule. */
export interface PushProblem extends FileProblem {
  readonly path: string;
  /** The commit to mend; absent when one more commit mends it. */
  readonly commit?: string;
}

export interface PushLimits {
  /** Bytes of the pack as sent. */
  readonly packBytes: number;
  readonly commits: number;
  /** Changed files, counted in each commit. */
  readonly files: number;
  /** Longest time for receiving and checking, milliseconds. */
  readonly timeoutMs: number;
}

/** What one push may bring. */
export const defaultPushLimits: PushLimits = {
  packBytes: 512 * 1024 * 1024,
  commits: 100_000,
  files: 1_000_000,
  timeoutMs: 600_000,
};

export interface PushedTip {
  /** Sees the objects of the push and those of the repository. */
  readonly git: Git;
  readonly reader: ObjectReader;
  /** Main as it is; null while there is none. */
  readonly main: string | null;
  readonly tip: string;
  /** Which memories it may change; all of them when absent. */
  readonly mayChange?: MayChange | undefined;
}

export type MayChange = (scope: string, key: string) => boolean;

export interface PushVerdict {
  readonly commits: number;
  /** Empty when all is well; at most 20. */
  readonly problems: readonly PushProblem[];
}

const maxProblems = 20;
const contentBatchBytes = 32 * 1024 * 1024;

interface Pass {
  readonly push: PushedTip;
  readonly limits: PushLimits;
  readonly signal: AbortSignal;
  readonly trees: TreeReader;
  readonly problems: PushProblem[];
  /** Where each new blob was first seen. */
  readonly blobs: Map<string, { readonly path: string; readonly commit: string }>;
  readonly sizes: Map<string, number>;
}

/** Checks all that `tip` brings to main. Throws INVALID_REQUEST or PAYLOAD_TOO_LARGE for a push over the limits. */
export async function validatePush(
  push: PushedTip,
  limits: PushLimits,
  signal: AbortSignal,
): Promise<PushVerdict> {
  const pass: Pass = {
    push,
    limits,
    signal,
    trees: createTreeReader(push.reader),
    problems: [],
    blobs: new Map(),
    sizes: new Map(),
  };
  await requireConnected(pass);
  const commits = await listNewCommits(pass);
  await checkHistory(pass, commits);
  await checkSizes(pass);
  if (pass.problems.length === 0) await checkResult(pass);
  return { commits: commits.length, problems: pass.problems };
}

/** A pack may leave out objects; what refers to one of those must not come in. */
async function requireConnected({ push, limits, signal }: Pass): Promise<void> {
  const args = ['rev-list', '--objects', '--quiet', push.tip, '--not', '--all'];
  const { code, errors } = await runBounded(push.git, args, { timeoutMs: limits.timeoutMs, signal });
  if (code === 0) return;
  const [line = ''] = errors.split('\n');
  throw new AppError('INVALID_REQUEST', { problem: `the push is incomplete: ${line.slice(0, 200)}` });
}

async function listNewCommits({ push, limits, signal }: Pass): Promise<NewCommit[]> {
  const range = [push.tip, ...(push.main === null ? [] : [`^${push.main}`])];
  const args = ['log', '--topo-order', `-${limits.commits + 1}`, '--format=%H %T %P%x00%ce', ...range, '--'];
  const { code, out, errors } = await runBounded(push.git, args, { timeoutMs: limits.timeoutMs, signal });
  if (code !== 0) throw new AppError('GIT_FAILED', { command: 'log', problem: errors.trim() });
  const commits = out.split('\n').filter(Boolean).map(parseCommit);
  if (commits.length > limits.commits) {
    throw new AppError('INVALID_REQUEST', { problem: `more than ${limits.commits} commits in one push` });
  }
  return commits;
}

function parseCommit(line: string): NewCommit {
  const [ids = '', email = ''] = line.split('\0');
  const [id = '', tree = '', ...parents] = ids.split(' ').filter(Boolean);
  return {
    id,
    tree,
    parents,
    committerEmail: email,
    isOurMerge: parents.length > 1 && email === committerEmail,
  };
}

async function checkHistory(pass: Pass, commits: readonly NewCommit[]): Promise<void> {
  const roots = new Map(commits.map(({ id, tree }) => [id, tree]));
  let files = 0;
  for (const commit of commits) {
    if (pass.push.mayChange && commit.parents.length > 1) {
      // It could take former versions of anything from its other side without changing a file of its own.
      const fix = 'git pull --rebase, then push again';
      pass.problems.push({
        path: '(merge)',
        commit: commit.id,
        problem: 'is for who may change everything',
        fix,
      });
      return;
    }
    const parents = await Promise.all(
      commit.parents.map(async (id) => roots.get(id) ?? (await pass.trees.rootOf(id))),
    );
    for await (const file of changedFiles(pass.trees, commit.tree, parents)) {
      files += 1;
      if (files > pass.limits.files) {
        const problem = `more than ${pass.limits.files} changed files in one push`;
        throw new AppError('INVALID_REQUEST', { problem });
      }
      checkFile(pass, file, commit);
      if (pass.problems.length >= maxProblems) return;
    }
    pass.signal.throwIfAborted();
  }
}

function checkFile(pass: Pass, file: ChangedFile, commit: NewCommit): void {
  const { path, now } = file;
  const found =
    first(historyChecks, (check) => check(file, commit)) ?? closedProblem(path, pass.push.mayChange);
  if (found) pass.problems.push({ path, commit: commit.id, ...found });
  else if (now && !pass.blobs.has(now.id)) pass.blobs.set(now.id, { path, commit: commit.id });
}

/** What the pusher may not change; of a file that is no memory, or whose name is cut short, only who may change all. */
function closedProblem(path: string, mayChange: MayChange | undefined): FileProblem | undefined {
  if (!mayChange) return undefined;
  const identity = needsStoredKey(path) ? undefined : identifyFile(path);
  if (identity && mayChange(identity.scope, identity.key)) return undefined;
  return { problem: 'is not yours to change', fix: 'take it out of the push; `policy why` says what is' };
}

function first<Check, Found>(checks: readonly Check[], run: (check: Check) => Found | undefined) {
  for (const check of checks) {
    const found = run(check);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Sizes come before contents, so that nothing huge is ever read. */
async function checkSizes({ push, limits, signal, blobs, sizes, problems }: Pass): Promise<void> {
  const input = [...blobs.keys()].map((id) => `${id}\n`).join('');
  const args = ['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)', '--buffer'];
  const { out } = await runBounded(push.git, args, { timeoutMs: limits.timeoutMs, signal, input });
  for (const line of out.split('\n').filter(Boolean)) {
    const [id = '', type = '', bytes = ''] = line.split(' ');
    const where = blobs.get(id);
    if (!where) continue;
    sizes.set(id, Number(bytes));
    const found =
      type === 'blob' ? checkSize(Number(bytes)) : { problem: `is a ${type}`, fix: 'make the commit anew' };
    if (found && problems.length < maxProblems) problems.push({ ...where, ...found });
  }
}

/** What is there at the end and was not on main, nor where the push began: it has to be sound. */
async function checkResult(pass: Pass): Promise<void> {
  const { push, trees } = pass;
  const bases = push.main === null ? [] : await mergeBases(pass, push.main);
  const before = push.main === null ? [] : [push.main, ...bases];
  const roots = await Promise.all(before.map((commit) => trees.rootOf(commit)));
  const root = await trees.rootOf(push.tip);
  await requireSameCoordinator(pass, root, roots.length > 1 ? roots.slice(1) : roots);
  let batch: ChangedFile[] = [];
  let bytes = 0;
  for await (const file of changedFiles(trees, root, roots)) {
    if (!file.now || allowedRootFiles.has(file.path) || file.path.startsWith('conflicts/')) continue;
    batch.push(file);
    bytes += pass.sizes.get(file.now.id) ?? 0;
    if (batch.length < 200 && bytes < contentBatchBytes) continue;
    await checkContents(pass, root, batch);
    batch = [];
    bytes = 0;
    if (pass.problems.length >= maxProblems) return;
  }
  await checkContents(pass, root, batch);
}

async function mergeBases({ push, limits, signal }: Pass, main: string): Promise<string[]> {
  const args = ['merge-base', '--all', main, push.tip];
  const { out } = await runBounded(push.git, args, { timeoutMs: limits.timeoutMs, signal });
  return out.split('\n').filter(Boolean);
}

/** A merge commit could bring back an older state without changing a file of its own. */
async function requireSameCoordinator(pass: Pass, root: string, bases: readonly string[]): Promise<void> {
  const idOf = async (tree: string) => (await pass.trees.read(tree)).get('coordinator')?.id;
  const now = await idOf(root);
  const before = await Promise.all(bases.map(idOf));
  if (bases.length === 0 ? now === undefined : before.includes(now)) return;
  const problem = 'belongs to the coordinator, which a push cannot change';
  pass.problems.push({ path: 'coordinator/', problem, fix: 'merge main again without touching it' });
}

async function findTwin(
  { trees }: Pass,
  root: string,
  path: string,
  identity: FileIdentity,
): Promise<FileProblem | undefined> {
  for (const other of otherPaths(path, identity)) {
    if (await hasPath(trees, root, other)) return twinProblem(other);
  }
  return undefined;
}

async function hasPath(trees: TreeReader, root: string, path: string): Promise<boolean> {
  let item: TreeItem = { mode: folderMode, id: root };
  for (const name of path.split('/')) {
    const below: TreeItem | undefined =
      item.mode === folderMode ? (await trees.read(item.id)).get(name) : undefined;
    if (!below) return false;
    item = below;
  }
  return true;
}

async function checkContents(pass: Pass, root: string, files: readonly ChangedFile[]): Promise<void> {
  const objects = await Promise.all(files.map(({ now }) => pass.push.reader.read(now?.id ?? '')));
  for (const [at, file] of files.entries()) {
    const object = objects[at];
    if (object === undefined || object === 'ambiguous') continue;
    const identity = identifyPushed(file.path, object.content);
    const found =
      first(contentChecks, (check) => check({ file, identity, content: object.content })) ??
      (identity && !file.wasThere ? await findTwin(pass, root, file.path, identity) : undefined);
    if (found && pass.problems.length < maxProblems) pass.problems.push({ path: file.path, ...found });
  }
  pass.signal.throwIfAborted();
}
