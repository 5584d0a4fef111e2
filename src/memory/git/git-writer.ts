/**
 * Turns acknowledged writes into commits on main: one pack a flush, then the ref by compare-and-swap.
 * When someone pushed meanwhile, the commits are made anew on top of theirs.
 */

import { AppError } from '../../kernel/errors.ts';
import { settingsOf } from '../../kernel/memory/scope-settings.ts';
import { type FileCodec, keylessCodec } from '../encryption/file-codec.ts';
import { rootOf } from '../merge/merge-commits.ts';
import type { ConflictNote } from '../merge/conflict-record.ts';
import type { MergeSettings, MergeStrategy } from '../merge/merge-strategy.ts';
import { tryTakeCommit } from '../merge/take-commit.ts';
import type { WriteRecord } from '../write-record.ts';
import { buildCommits } from './build-commits.ts';
import {
  type Landing,
  findLanded,
  findLandedWrites,
  landingPath,
  readLandingFile,
  writeLandingFile,
} from './landing.ts';
import { landPack } from './land-pack.ts';
import { readMain, readRef } from './move-ref.ts';
import { createObjectReader } from './object-reader.ts';
import { foldPacks } from './fold-packs.ts';
import { groupWrites } from './group-writes.ts';
import { mainRef, removeStaleFiles } from './repository.ts';
import { type EraseOutcome, type EraseTarget, eraseHistory } from '../erasure/erase-history.ts';
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

/** What became of another side's commit. */
export interface TakeOutcome {
  readonly kind: 'up-to-date' | 'fast-forward' | 'merged';
  /** Main afterwards. */
  readonly head: string;
  /** Main before; null if it did not exist. */
  readonly base: string | null;
  /** Conflicts that were recorded. */
  readonly conflicts: number;
  /** What they are about, after a merge. */
  readonly records?: readonly ConflictNote[];
}

/** Writes for another ref than main. */
export interface RefWrites {
  /** Full name. */
  readonly ref: string;
  readonly expected: string;
  readonly records: readonly WriteRecord[];
}

/** How a commit is taken where sides differ. */
export interface TakeWish {
  /** In place of the settings of the scopes. */
  readonly strategy?: MergeStrategy | undefined;
  /** Takes nothing, and throws MERGE_CONFLICTS, when there would be conflicts. */
  readonly refusesConflicts?: boolean;
}

export interface GitWriter extends AsyncDisposable {
  /** Commits the writes, in order. Throws GIT_FAILED, DISK_FULL or STORAGE_FAILED, and may be called again. */
  commit(records: readonly WriteRecord[]): Promise<CommitOutcome>;
  /**
   * Brings a commit that is in the repository into main: by moving it, or by a merge. `before` is what the
   * other side had when it was last seen. Throws INVALID_INPUT for no commit, GIT_FAILED, DISK_FULL or
   * STORAGE_FAILED, and may be called again.
   */
  take(theirs: string, before?: string, wish?: TakeWish): Promise<TakeOutcome>;
  /**
   * Puts writes on top of another ref as one commit and returns it; null when the ref is not at `expected` (any
   * more). Throws GIT_FAILED, DISK_FULL or STORAGE_FAILED.
   */
  commitTo(target: RefWrites): Promise<string | null>;
  /**
   * Takes memories out of all history. What is acknowledged must be in Git, and nobody may read packs for long.
   * Throws GIT_FAILED, DISK_FULL or STORAGE_FAILED, and may be called again.
   */
  erase(target: EraseTarget): Promise<EraseOutcome>;
  /** Folds packs when there are many; true when it did. */
  upkeep(): Promise<boolean>;
}

/** Git's changed-path filters give up on commits of 512 paths and more; 100 keep blame useful too. */
export const defaultWritesPerCommit = 100;
const maxAttempts = 20;
const maxCachedEntries = 1_000_000;
const defaultMaxPacks = 64;

/** A writer on the bare repository; only one may exist for a repository. */
export function createGitWriter(options: {
  readonly repositoryDir: string;
  readonly journalDir: string;
  readonly maxWritesPerCommit?: number;
  /** Packs are folded once there are so many. */
  readonly maxPacks?: number | undefined;
  /** How scopes are merged, by pattern; `auto` where none fits. */
  readonly scopes?: MergeSettings;
  /** Opens sealed files for merges. */
  readonly codec?: FileCodec;
}): GitWriter {
  const { repositoryDir, journalDir, scopes = {}, codec = keylessCodec } = options;
  const { maxPacks = defaultMaxPacks, maxWritesPerCommit = defaultWritesPerCommit } = options;
  const git = createGit(repositoryDir);
  const reader = createObjectReader(git);
  const landingFile = landingPath(journalDir);
  let known = readLandingFile(landingFile);
  let tree: { head: string | null; cache: TreeCache } | undefined;

  async function treeAt(head: string | null): Promise<TreeCache> {
    if (tree && tree.head === head && tree.cache.size < maxCachedEntries) return tree.cache;
    tree = undefined;
    return createTreeCache(reader, head === null ? null : await rootOf(reader, head));
  }

  async function tryTake(
    theirs: string,
    before: string | undefined,
    { strategy, refusesConflicts }: TakeWish,
  ): Promise<TakeOutcome | undefined> {
    const strategyOf = (scope: string) => strategy ?? settingsOf(scopes, scope)?.merge ?? 'auto';
    const parts = { git, reader, codec, strategyOf };
    const done = await tryTakeCommit(
      parts,
      { main: readMain(repositoryDir), theirs, before, refusesConflicts },
      async (head) => {
        const cache = await treeAt(head);
        tree = undefined;
        return cache;
      },
    );
    if (done?.tree) tree = { head: done.outcome.head, cache: done.tree };
    return done?.outcome;
  }

  /** Until main stands still for long enough. */
  async function untilDone<T>(command: string, attempt: () => Promise<T | undefined>): Promise<T> {
    for (let i = 0; i < maxAttempts; i++) {
      const outcome = await attempt();
      if (outcome !== undefined) return outcome;
    }
    throw new AppError('GIT_FAILED', { command, problem: 'main keeps moving' });
  }

  /** Settles attempts whose outcome is unknown: after a crash, or when main is not where we left it. */
  async function settle(head: string | null, records: readonly WriteRecord[]): Promise<Landing | null> {
    known ??= { landed: await findLandedWrites(git, head, records), attempts: [] };
    if (known.attempts.length > 0) known = { landed: await findLanded(git, known, head), attempts: [] };
    return known.landed;
  }

  /** One try; undefined when main moved under it. */
  async function tryCommit(records: readonly WriteRecord[]): Promise<CommitOutcome | undefined> {
    const base = readMain(repositoryDir);
    const landed = await settle(base, records);
    const before = landed?.seq ?? 0;
    const fresh = records.filter((record) => record.seq > before);
    const last = fresh.at(-1);
    if (!last) return { base, head: base, commits: [], landedSeq: before };
    const cache = await treeAt(base);
    tree = undefined;
    const { commits, files } = await buildCommits(cache, base, groupWrites(fresh, maxWritesPerCommit));
    const head = commits.at(-1)?.id ?? '';
    const attempt = { seq: last.seq, commit: head };
    const isMoved = landPack(repositoryDir, files, { ref: mainRef, from: base, to: head }, () => {
      const file = { landed, attempts: [attempt] };
      writeLandingFile(landingFile, file);
      known = file;
    });
    if (!isMoved) return undefined;
    known = { landed: attempt, attempts: [] };
    tree = { head, cache };
    return { base, head, commits, landedSeq: last.seq };
  }

  return {
    async commitTo({ ref, expected, records }) {
      if (readRef(repositoryDir, ref) !== expected) return null;
      const cache = await createTreeCache(reader, await rootOf(reader, expected));
      const { commits, files } = await buildCommits(cache, expected, [records]);
      const head = commits.at(-1)?.id ?? '';
      return landPack(repositoryDir, files, { ref, from: expected, to: head }) ? head : null;
    },
    commit: (records) => untilDone('commit', () => tryCommit(records)),
    take: (theirs, before, wish = {}) => untilDone('merge', () => tryTake(theirs, before, wish)),
    async erase(target) {
      // Afterwards main does not have the commit behind it that the file names.
      known = { landed: await settle(readMain(repositoryDir), []), attempts: [] };
      writeLandingFile(landingFile, known);
      tree = undefined;
      await reader.rest();
      return eraseHistory(git, target);
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
