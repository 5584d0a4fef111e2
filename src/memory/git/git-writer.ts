/**
 * Turns acknowledged writes into commits on main: one pack a flush, then the ref by compare-and-swap.
 * When someone pushed meanwhile, the commits are made anew on top of theirs.
 */

import { AppError } from '../../kernel/errors.ts';
import { type WriteRecord, memoryId } from '../write-record.ts';
import { encodeCommit } from './commit-message.ts';
import {
  type Landing,
  type LandingFile,
  findLanded,
  landingPath,
  readLandingFile,
  writeLandingFile,
} from './landing.ts';
import { moveMain, readMain } from './move-ref.ts';
import { createObjectReader } from './object-reader.ts';
import { createPackBuilder } from './pack-builder.ts';
import { foldPacks } from './fold-packs.ts';
import { installPack } from './pack-files.ts';
import { removeStaleFiles } from './repository.ts';
import { createGit } from './run-git.ts';
import { type TreeCache, createTreeCache } from './tree-cache.ts';

/** What became of a batch of writes. */
export interface CommitOutcome {
  /** Main before our first new commit; null if it did not exist. */
  readonly base: string | null;
  /** Main afterwards. */
  readonly head: string | null;
  /** New commits on `base`, oldest first, each with the sequences it holds. */
  readonly commits: readonly { readonly id: string; readonly seqs: readonly number[] }[];
  /** All writes up to here are in Git; those without a new commit were there already. */
  readonly landedSeq: number;
}

export interface GitWriter extends AsyncDisposable {
  /** Commits the writes, in order. Throws GIT_FAILED, DISK_FULL or STORAGE_FAILED, and may be called again. */
  commit(records: readonly WriteRecord[]): Promise<CommitOutcome>;
  /** Folds packs when there are many; true when it did. */
  upkeep(): Promise<boolean>;
}

const maxAttempts = 20;
const commitPerWriteUpTo = 256;
const maxWritesPerCommit = 100;
const maxCachedEntries = 1_000_000;
const maxPacks = 64;

/** A writer on the bare repository; only one may exist for a repository. */
export function createGitWriter(options: { repositoryDir: string; journalDir: string }): GitWriter {
  const { repositoryDir, journalDir } = options;
  const git = createGit(repositoryDir);
  const reader = createObjectReader(git);
  const landingFile = landingPath(journalDir);
  let known: LandingFile = readLandingFile(landingFile) ?? { landed: null, attempts: [] };
  let tree: { head: string | null; cache: TreeCache } | undefined;

  async function treeAt(head: string | null): Promise<TreeCache> {
    if (tree && tree.head === head && tree.cache.size < maxCachedEntries) return tree.cache;
    tree = undefined;
    const rootId = head === null ? null : await rootOf(head);
    return createTreeCache(reader, rootId);
  }

  async function rootOf(commit: string): Promise<string> {
    const object = await reader.read(`${commit}^{tree}`);
    if (object && object !== 'ambiguous') return object.id;
    throw new AppError('GIT_FAILED', { command: 'cat-file', problem: `commit ${commit} is missing` });
  }

  /** Settles attempts whose outcome is unknown: after a crash, or when main is not where we left it. */
  async function settle(head: string | null): Promise<Landing | null> {
    if (known.attempts.length > 0) known = { landed: await findLanded(git, known, head), attempts: [] };
    return known.landed;
  }

  async function buildOn(head: string | null, groups: readonly WriteRecord[][]) {
    const cache = await treeAt(head);
    tree = undefined;
    const pack = createPackBuilder();
    const commits: { id: string; seqs: number[] }[] = [];
    let parent = head;
    for (const records of groups) {
      for (const record of records) {
        for (const path of record.removePaths) await cache.removeFile(path);
        if (record.content === null) await cache.removeFile(record.path);
        else await cache.putFile(record.path, pack.add('blob', record.content));
      }
      const root = cache.write((content, last) => pack.add('tree', content, last)).toString('hex');
      parent = pack.add('commit', encodeCommit({ tree: root, parent, records })).toString('hex');
      commits.push({ id: parent, seqs: records.map((record) => record.seq) });
    }
    return { cache, commits, files: pack.finish() };
  }

  /** One try; undefined when main moved under it. */
  async function tryCommit(records: readonly WriteRecord[]): Promise<CommitOutcome | undefined> {
    const base = readMain(repositoryDir);
    const before = (await settle(base))?.seq ?? 0;
    const fresh = records.filter((record) => record.seq > before);
    const last = fresh.at(-1);
    if (!last) return { base, head: base, commits: [], landedSeq: before };
    const { cache, commits, files } = await buildOn(base, groupWrites(fresh));
    const head = commits.at(-1)?.id ?? '';
    const pack = installPack(repositoryDir, files, head);
    const attempt = { seq: last.seq, commit: head };
    try {
      const file = { landed: known.landed, attempts: [attempt] };
      writeLandingFile(landingFile, file);
      known = file;
      if (!moveMain(repositoryDir, base, head)) {
        pack.remove();
        return undefined;
      }
    } catch (error) {
      // The ref may have moved before the failure; then its pack must stay.
      if (readMain(repositoryDir) !== head) pack.remove();
      throw error;
    }
    pack.release();
    known = { landed: attempt, attempts: [] };
    tree = { head, cache };
    return { base, head, commits, landedSeq: last.seq };
  }

  return {
    async commit(records) {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const outcome = await tryCommit(records);
        if (outcome) return outcome;
      }
      throw new AppError('GIT_FAILED', { command: 'commit', problem: 'main keeps moving' });
    },
    async upkeep() {
      removeStaleFiles(repositoryDir);
      await reader.rest();
      if (!(await foldPacks(git, maxPacks))) return false;
      await git.run(['commit-graph', 'write', '--reachable', '--changed-paths', '--split']);
      return true;
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

/**
 * A commit a write while the batch is small; under pressure up to 100 writes of one actor share one, never
 * two of the same key, so that every version stays in the history. The order of one key's writes is kept. An
 * atomic batch is one commit, and nothing else is in it.
 */
export function groupWrites(records: readonly WriteRecord[]): WriteRecord[][] {
  const limit = records.length <= commitPerWriteUpTo ? 1 : maxWritesPerCommit;
  const groups: WriteRecord[][] = [];
  const openGroups = new Map<string, number>();
  const lastGroups = new Map<string, number>();
  let batchEnd: number | undefined;

  /** An atomic batch is one commit of its own. */
  function addToBatch(record: WriteRecord): void {
    if (record.batchEnd === batchEnd) groups.at(-1)?.push(record);
    else groups.push([record]);
    batchEnd = record.batchEnd;
    lastGroups.set(memoryId(record.scope, record.key), groups.length - 1);
  }

  for (const record of records) {
    if (record.batchEnd !== undefined) {
      addToBatch(record);
      continue;
    }
    const who = `${record.actor}\0${record.agent}`;
    const id = memoryId(record.scope, record.key);
    let at = openGroups.get(who) ?? -1;
    const group = groups[at];
    if (group && at > (lastGroups.get(id) ?? -1) && group.length < limit) group.push(record);
    else at = groups.push([record]) - 1;
    openGroups.set(who, at);
    lastGroups.set(id, at);
  }
  return groups;
}
