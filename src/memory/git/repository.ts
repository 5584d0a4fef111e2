/** The bare repository on disk: made once, settings kept, leftovers of a killed run taken away. */

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { appendFile, mkdir, readFile, readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { removePack } from './fold-packs.ts';
import { isReachable } from './landing.ts';
import { readKeepFile, temporaryPrefix } from './pack-files.ts';
import { removeQuarantines } from './quarantine.ts';
import type { Git } from './run-git.ts';

/** The branch that is the memory. */
export const mainRef = 'refs/heads/main';

/** Where the workspaces are: branches beside main. */
export const workspaceRefs = 'refs/heads/ws/';

const settingsMark = '# git-memory-mcp settings, version 1';

/**
 * Automatic upkeep is off: `gc` may delete a pack whose ref is not yet written, so the coordinator does
 * upkeep itself. Pushes may only add to main, and cannot see or touch our own refs.
 */
const settings = `
${settingsMark}
[gc]
	auto = 0
[maintenance]
	auto = false
[receive]
	autogc = false
	unpackLimit = 1
	denyNonFastForwards = true
	denyDeletes = true
	fsckObjects = true
[fetch]
	unpackLimit = 1
[transfer]
	hideRefs = refs/git-memory
[core]
	fsync = committed,loose-object,pack,pack-metadata,reference
	fsyncMethod = batch
	multiPackIndex = true
	logAllRefUpdates = false
[commitGraph]
	readChangedPaths = true
`;

/** Makes the repository if there is none, and writes our settings into it. Throws GIT_MISSING, GIT_FAILED. */
export async function prepareRepository(git: Git): Promise<void> {
  await checkGitVersion(git);
  const { repositoryDir } = git;
  if (!(await isFile(join(repositoryDir, 'HEAD')))) {
    await mkdir(repositoryDir, { recursive: true });
    const how = ['--quiet', '--bare', '--template=', '--object-format=sha1', '--initial-branch=main'];
    await git.run(['init', ...how, repositoryDir]);
  }
  const config = join(repositoryDir, 'config');
  if (!(await readFile(config, 'utf8')).includes(settingsMark)) await appendFile(config, settings);
}

async function checkGitVersion(git: Git): Promise<void> {
  const text = (await git.run(['version'])).toString('utf8');
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(text) ?? [];
  const isOld = Number(major) < 2 || (Number(major) === 2 && Number(minor) < 38);
  if (isOld) throw new AppError('GIT_MISSING', { found: text.trim() });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * Takes away what a killed coordinator left: half-written packs, packs whose commit did not get to main at
 * `head`, and the lock of main when it holds one of `ownCommits` or of these packs. The caller must hold the
 * lock of the data folder.
 */
export async function removeLeftovers(
  git: Git,
  head: string | null,
  ownCommits: readonly string[],
  logger: Logger,
): Promise<void> {
  const packs = join(git.repositoryDir, 'objects', 'pack');
  const own = new Set(ownCommits);
  for (const name of await readdir(packs).catch(() => [])) {
    const path = join(packs, name);
    if (name.startsWith(temporaryPrefix)) await rm(path, { force: true });
    const commit = name.endsWith('.keep') ? readKeepFile(await readFile(path, 'utf8')) : undefined;
    if (commit === undefined) continue;
    own.add(commit);
    logger.info({ path }, 'settling a pack of a killed coordinator');
    const isKept = (await isReachable(git, commit, head)) || (await isInWorkspace(git, commit));
    if (isKept) await rm(path, { force: true });
    else removePack(path.slice(0, -'.keep'.length));
  }
  await removeQuarantines(git.repositoryDir);
  for (const path of removeStaleFiles(git.repositoryDir))
    logger.warn({ path }, 'removed what a killed git left');
  const lock = join(git.repositoryDir, `${mainRef}.lock`);
  const held = await readFile(lock, 'utf8').catch(() => undefined);
  if (held !== undefined && own.has(held.trim())) {
    logger.warn({ path: lock }, 'removing the ref lock of a killed coordinator');
    await unlink(lock);
  }
}

/** False too when the repository has no such commit. */
async function isInWorkspace(git: Git, commit: string): Promise<boolean> {
  const args = ['for-each-ref', '--count=1', `--contains=${commit}`, workspaceRefs];
  return git.run(args).then(
    (out) => out.length > 0,
    () => false,
  );
}

const locks = [
  'objects/pack/multi-pack-index.lock',
  'objects/info/commit-graphs/commit-graph-chain.lock',
  'objects/info/commit-graph.lock',
  'packed-refs.lock',
];
/** Git holds these locks for moments and writes a pack for minutes. */
const staleLockMs = 60_000;
const stalePackMs = 3_600_000;

/** Takes away old locks and half-written packs of a Git that was killed; returns their paths. */
export function removeStaleFiles(repositoryDir: string): string[] {
  const packs = join(repositoryDir, 'objects', 'pack');
  const halfWritten = readdirSync(packs).filter((name) => /^(?:tmp_|\.tmp-)/.test(name));
  const candidates = [
    ...[...locks, ...workspaceLocks(repositoryDir)].map((name) => ({
      path: join(repositoryDir, name),
      ageMs: staleLockMs,
    })),
    ...halfWritten.map((name) => ({ path: join(packs, name), ageMs: stalePackMs })),
  ];
  return candidates.filter(({ path, ageMs }) => removeIfOlder(path, ageMs)).map(({ path }) => path);
}

function workspaceLocks(repositoryDir: string): string[] {
  const folder = join(repositoryDir, workspaceRefs);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => name.endsWith('.lock')).map((name) => workspaceRefs + name);
}

function removeIfOlder(path: string, ageMs: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || Date.now() - found.mtimeMs < ageMs) return false;
  rmSync(path, { force: true });
  return true;
}
