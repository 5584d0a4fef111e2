/** Opens the Git memory of a data folder: lock, repository, journal, index, background commits. */

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { MemoryCaller, MemoryClient, MemoryOperation } from '../kernel/memory/operations.ts';
import { type BackupSettings, createBackups } from './backup/backups.ts';
import { createCallGate } from './call-gate.ts';
import type { FeedChange } from './changes/change-table.ts';
import { createCommitLoop } from './commit-loop.ts';
import type { EmbeddingOptions } from './embeddings/provider.ts';
import { finishErasure, resumeErasure } from './erasure/erasure-job.ts';
import { startExpiry } from './expiry.ts';
import { type Keyring, emptyKeyring } from './encryption/keyring.ts';
import { openMemoryKeys } from './encryption/memory-keys.ts';
import { createGitThread } from './git/git-thread.ts';
import { type TakeOutcome, type TakeWish, defaultWritesPerCommit } from './git/git-writer.ts';
import { createObjectReader } from './git/object-reader.ts';
import { prepareRepository } from './git/repository.ts';
import { createGit } from './git/run-git.ts';
import { openLiveIndex } from './index/live-index.ts';
import { type JournalDisk, toStorageError } from './journal/journal.ts';
import { lockDataDir } from './lock-data-dir.ts';
import type { MergeSettings } from './merge/merge-strategy.ts';
import type { HandlerParts } from './operations/handler-parts.ts';
import { createHandlers } from './operations/handlers.ts';
import { parseInput } from './operations/parse-input.ts';
import { type ScopeLimits, createQuotas } from './quotas.ts';
import { recoverState } from './recover-state.ts';
import { createSearchThread } from './search/search-thread.ts';
import type { GitAccess } from './sync/git-access.ts';
import type { Remotes } from './sync/remotes.ts';
import { type Sharing, type SharingOptions, openSharing } from './sync/open-sharing.ts';
import { createVerifier } from './verify/verifier.ts';
import { createVersionReader } from './versions/read-version.ts';
import { type WritePath, createWritePath } from './write-path.ts';
import type { WriteRecord } from './write-record.ts';

/** The shared memory of one data folder. */
export interface Memory extends MemoryClient, AsyncDisposable {
  /** Resolves when everything acknowledged is in a commit and main has moved; throws what kept it from that. */
  flush(): Promise<void>;
  /** Indexes at once what others pushed to main; it happens by itself every second. */
  refresh(): Promise<void>;
  /**
   * Brings a commit that is in the repository into main, by moving it or by a merge; writes that come
   * meanwhile wait. `before` is what the other side had when it was last seen: if `commit` does not contain it
   * any more, backup refs are made first. Throws INVALID_INPUT for no commit, and what Git or the disk failed
   * with.
   */
  take(commit: string, before?: string, wish?: TakeWish): Promise<TakeOutcome>;
  /** Hears of every change once it is durable; the returned function ends that. */
  onChange(listener: (change: FeedChange) => void): () => void;
  /** Takes and lets go of remotes while it runs; it remembers none of them itself. */
  readonly remotes: Pick<Remotes, 'add' | 'remove'>;
  /** Clone, fetch and push by Git clients. */
  readonly gitAccess: GitAccess;
  /** The bare repository. */
  readonly repositoryDir: string;
}

export interface MemoryOptions extends SharingOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Longest time that an acknowledged write waits for its commit. */
  readonly flushIntervalMs?: number;
  /** Under pressure so many writes share a commit; 1 keeps a commit for each. */
  readonly maxWritesPerCommit?: number;
  /** How often main is looked at for pushed commits. */
  readonly pollIntervalMs?: number;
  /** Where backups go and when; none are made without it. */
  readonly backup?: BackupSettings | undefined;
  /** Packs are folded once there are so many. */
  readonly maxPacks?: number;
  /** Settings of scopes by pattern. */
  readonly scopes?: MergeSettings;
  /** Limits by pattern of scopes. */
  readonly quotas?: Readonly<Record<string, ScopeLimits>>;
  /** Keys that values are sealed under; all are in clear without them. */
  readonly keyring?: Keyring;
  /** Search by meaning; nothing is sent anywhere without it. */
  readonly embeddings?: EmbeddingOptions;
  /** File calls of the journal, for fault tests. */
  readonly journalDisk?: JournalDisk;
}

const maxPendingBytes = 256 * 1024 * 1024;
/** After a crash so many are committed at the next start: some ten seconds. */
const maxPendingWrites = 100_000;

/**
 * Opens the memory and recovers what a former run left. Throws ALREADY_RUNNING, GIT_MISSING, GIT_FAILED,
 * DISK_FULL or STORAGE_FAILED.
 */
export async function openMemory(options: MemoryOptions): Promise<Memory> {
  const dataDir = resolve(options.dataDir);
  await using stack = new AsyncDisposableStack();
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (error) {
    throw toStorageError(error, dataDir);
  }
  stack.use(lockDataDir(dataDir));
  const memory = await openParts(options, dataDir, stack);
  const owned = stack.move();
  let closing: Promise<void> | undefined;
  return {
    ...memory,
    [Symbol.asyncDispose]: () => (closing ??= closeMemory(memory, owned, options.logger)),
  };
}

type OpenedMemory = Omit<Memory, typeof Symbol.asyncDispose> & { readonly stopTaking: () => void };

async function openParts(
  options: MemoryOptions,
  dataDir: string,
  stack: AsyncDisposableStack,
): Promise<OpenedMemory> {
  const { logger, clock = systemClock } = options;
  const repositoryDir = join(dataDir, 'memory.git');
  const journalDir = join(dataDir, 'journal');
  const git = createGit(repositoryDir);
  await prepareRepository(git);
  const { records, segments, landed } = await recoverState(git, journalDir, logger);
  const waiting = records.filter((record) => record.seq > landed.seq);
  const indexPath = join(dataDir, 'index.sqlite');
  const erasure = await resumeErasure({ git, dataDir, journalDir, landed, logger });
  const backlog: { current: () => readonly WriteRecord[] } = { current: () => waiting };
  const pending = () => backlog.current();
  const { embeddings, keyring = emptyKeyring } = options;
  const keys = openMemoryKeys({ dataDir, keyring, logger });
  const { codec, subjects } = keys;
  const threadOptions = { indexPath, repositoryDir, embeddings, logger };
  const index = stack.use(await openLiveIndex({ ...threadOptions, codec, pending }));
  const searcher = stack.use(createSearchThread({ ...threadOptions, keys }));
  const reader = stack.use(createObjectReader(git));
  const writer = stack.use(
    createGitThread({
      repositoryDir,
      journalDir,
      maxWritesPerCommit: options.maxWritesPerCommit ?? defaultWritesPerCommit,
      maxPacks: options.maxPacks,
      scopes: options.scopes ?? {},
      keys,
      logger,
    }),
  );
  const isQuiet = () => index.unconfirmedCount === 0;
  const quotas = createQuotas(options.quotas ?? {}, () => index.rows.sizes(0), isQuiet);
  let writePath: WritePath | undefined;
  const loop = stack.use(
    createCommitLoop({
      git,
      index,
      writer,
      clock,
      logger,
      flushIntervalMs: options.flushIntervalMs ?? 200,
      pollIntervalMs: options.pollIntervalMs ?? 1000,
      onLanded: async (seq) => writePath?.release(seq),
      onSeen(seq) {
        writePath?.observe(seq);
        quotas.recount();
      },
    }),
  );
  backlog.current = () => loop.pending;
  loop.add(waiting);
  index.add(waiting);
  await loop.poll();
  await index.caughtUp();
  const last = records.at(-1);
  writePath = stack.use(
    createWritePath({
      index,
      quotas,
      codec,
      clock,
      journalDir,
      segments,
      nextSeq: Math.max(last?.seq ?? 0, landed.seq) + 1,
      lastAtMs: last?.atMs ?? 0,
      disk: options.journalDisk,
      isFull: () =>
        loop.pendingBytes > maxPendingBytes ||
        Math.max(loop.pendingCount, index.unconfirmedCount) > maxPendingWrites,
      onDurable: (done) => loop.add(done),
    }),
  );
  if (keyring.keys.length > 0) {
    const failed = (error: unknown) => logger.warn({ err: error }, 'what is sealed could not be opened yet');
    searcher.openSealed().catch(failed);
  }
  writePath.observe(index.rows.versions.maxSeq);
  stack.use(startExpiry({ index, writePath, clock, logger }));
  if (waiting.length > 0)
    logger.info({ writes: waiting.length }, 'recovered acknowledged writes from the journal');
  if (erasure && waiting.length === 0) await writePath.dropJournal();
  const gate = createCallGate();
  const sharing = stack.use(openSharing({ git, dataDir, writePath, loop, gate, clock, logger }, options));
  const settled = () => writePath.settled();
  const backups = stack.use(
    createBackups({ settings: options.backup, git, loop, settled, dataDir, clock, logger }),
  );
  finishErasure(erasure, { dataDir, backups, logger });
  const verifier = stack.use(createVerifier({ dataDir, loop, backups: options.backup }));
  const parts = {
    dataDir,
    gate,
    quotas,
    git,
    reader,
    index,
    searcher,
    loop,
    writer,
    writePath,
    codec,
    subjects,
    clock,
    logger,
  };
  return assemble({ ...parts, ...sharing, backups, verifier });
}

interface AssembledParts
  extends Omit<HandlerParts, 'versions' | 'settleHistory'>, Pick<Sharing, 'gitAccess'> {
  readonly logger: Logger;
}

function assemble(parts: AssembledParts): OpenedMemory {
  const { git, index, reader, loop, codec, gate, commitAll, take, logger } = parts;
  let isOpen = true;

  const handlers = createHandlers({
    ...parts,
    versions: createVersionReader(index.rows, reader, codec),
    settleHistory: () =>
      commitAll().catch((error: unknown) =>
        logger.warn({ err: error }, 'answering before all writes are committed'),
      ),
  });

  return {
    async call(operation, input, caller) {
      if (!isOpen) throw new AppError('SHUTTING_DOWN');
      const handle = handlers[operation] as (input: unknown, caller: MemoryCaller) => Promise<never>;
      const parsed = parseInput(operation, input);
      if (longOperations.has(operation)) return handle(parsed, caller);
      return gate.pass(() => handle(parsed, caller));
    },
    flush: commitAll,
    gitAccess: parts.gitAccess,
    remotes: parts.remotes,
    refresh: () => loop.poll(),
    async take(commit, before, wish) {
      if (!isOpen) throw new AppError('SHUTTING_DOWN');
      return take(commit, before, wish);
    },
    onChange: (listener) => index.onChange(listener),
    repositoryDir: git.repositoryDir,
    stopTaking() {
      isOpen = false;
    },
  };
}

/** They look at no values, or see to the gate themselves. */
const longOperations: ReadonlySet<MemoryOperation> = new Set([
  'backup',
  'verify',
  'reindex',
  'sync',
  'forget',
  'rekey',
]);

/** Ends taking calls, commits what is acknowledged and stops everything; what Git refuses stays in the journal. */
async function closeMemory(memory: OpenedMemory, parts: AsyncDisposableStack, logger: Logger): Promise<void> {
  memory.stopTaking();
  await memory
    .flush()
    .catch((error: unknown) => logger.warn({ err: error }, 'closing with memory writes left in the journal'));
  await parts.disposeAsync();
}
