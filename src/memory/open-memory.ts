/** Opens the Git memory of a data folder: lock, repository, journal, index, background commits. */

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { type Emitter, createEmitter } from '../kernel/events.ts';
import type { Logger } from '../kernel/log.ts';
import {
  type MemoryCaller,
  type MemoryClient,
  type MemoryOperation,
  memoryOperations,
} from '../kernel/memory-operations.ts';
import { type CommitLoop, applyRecord, createCommitLoop } from './commit-loop.ts';
import { startExpiry } from './expiry.ts';
import { createGitThread } from './git/git-thread.ts';
import { type Landing, landingPath, openLanding, readLandingFile } from './git/landing.ts';
import { readMain } from './git/move-ref.ts';
import { createObjectReader } from './git/object-reader.ts';
import { prepareRepository, removeLeftovers } from './git/repository.ts';
import { type Git, createGit } from './git/run-git.ts';
import { openMemoryIndex } from './index/memory-index.ts';
import { type JournalDisk, toStorageError } from './journal/journal.ts';
import { recoverSegments } from './journal/segment-files.ts';
import { lockDataDir } from './lock-data-dir.ts';
import { type HandlerParts, createHandlers } from './operations.ts';
import { createVersionReader } from './versions/read-version.ts';
import { type WritePath, createWritePath } from './write-path.ts';
import type { WriteOp } from './write-record.ts';

/** One change of the memory, ours or pushed by someone. */
export interface MemoryChange {
  readonly scope: string;
  readonly key: string;
  /** Null for a deletion. */
  readonly etag: string | null;
  readonly op: WriteOp;
  /** Journal position; 0 for a change that was pushed. */
  readonly seq: number;
  readonly actor: string;
}

/** The shared memory of one data folder. */
export interface Memory extends MemoryClient, AsyncDisposable {
  /** Resolves when everything acknowledged is in a commit and main has moved; throws what kept it from that. */
  flush(): Promise<void>;
  /** Indexes at once what others pushed to main; it happens by itself every second. */
  refresh(): Promise<void>;
  /** Hears of every change once it is durable; the returned function ends that. */
  onChange(listener: (change: MemoryChange) => void): () => void;
  /** The bare repository. */
  readonly repositoryDir: string;
}

export interface MemoryOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Longest time that an acknowledged write waits for its commit. */
  readonly flushIntervalMs?: number;
  /** How often main is looked at for pushed commits. */
  readonly pollIntervalMs?: number;
  /** File calls of the journal, for fault tests. */
  readonly journalDisk?: JournalDisk;
}

const maxPendingBytes = 256 * 1024 * 1024;
const maxPendingWrites = 200_000;

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
  const { records, segments, landed } = await recover(git, journalDir, logger);
  const waiting = records.filter((record) => record.seq > landed.seq);
  const indexPath = join(dataDir, 'index.sqlite');
  const index = stack.use(openMemoryIndex(indexPath, logger));
  const reader = stack.use(createObjectReader(git));
  const changes = createEmitter<MemoryChange>((error) =>
    logger.error({ err: error }, 'a change listener failed'),
  );
  const writer = stack.use(createGitThread({ repositoryDir, journalDir, indexPath, logger }));
  let writePath: WritePath | undefined;
  const loop: CommitLoop = stack.use(
    createCommitLoop({
      git,
      reader,
      index,
      writer,
      clock,
      logger,
      flushIntervalMs: options.flushIntervalMs ?? 200,
      pollIntervalMs: options.pollIntervalMs ?? 1000,
      onLanded: async (seq) => writePath?.release(seq),
      onSynced: (synced) => {
        for (const one of synced)
          changes.emit({ ...one, op: one.etag === null ? 'delete' : 'store', seq: 0 });
      },
    }),
  );
  loop.add(waiting);
  await loop.poll();
  index.transaction(() => {
    for (const record of waiting) applyRecord(index, record);
  });
  const last = records.at(-1);
  writePath = stack.use(
    createWritePath({
      index,
      clock,
      journalDir,
      segments,
      nextSeq: Math.max(last?.seq ?? 0, landed.seq) + 1,
      lastAtMs: last?.atMs ?? 0,
      disk: options.journalDisk,
      isFull: () => loop.pendingBytes > maxPendingBytes || loop.pendingCount > maxPendingWrites,
      onDurable(done) {
        loop.add(done);
        for (const { scope, key, etag, op, seq, actor } of done)
          changes.emit({ scope, key, etag, op, seq, actor });
      },
    }),
  );
  stack.use(startExpiry({ index, writePath, clock, logger }));
  if (waiting.length > 0)
    logger.info({ writes: waiting.length }, 'recovered acknowledged writes from the journal');
  return assemble({ git, reader, index, loop, writePath, clock, logger, changes });
}

/** What the journal and Git hold between them. */
async function recover(git: Git, journalDir: string, logger: Logger) {
  try {
    await mkdir(journalDir, { recursive: true });
    const landingFile = landingPath(journalDir);
    const attempts = readLandingFile(landingFile)?.attempts ?? [];
    const head = readMain(git.repositoryDir);
    const own = attempts.map((attempt) => attempt.commit);
    await removeLeftovers(git, head, own, logger);
    const landed: Landing = (await openLanding(git, landingFile, head)) ?? nothingLanded;
    return { ...(await recoverSegments(journalDir, logger)), landed };
  } catch (error) {
    throw isAppError(error) ? error : toStorageError(error, journalDir);
  }
}

const nothingLanded: Landing = { seq: 0, commit: '' };

interface AssembledParts extends Omit<HandlerParts, 'versions' | 'settleHistory' | 'commitAll'> {
  readonly logger: Logger;
  readonly changes: Emitter<MemoryChange>;
}

function assemble(parts: AssembledParts): OpenedMemory {
  const { git, index, reader, loop, writePath, logger, changes } = parts;
  let isOpen = true;

  async function flush(): Promise<void> {
    await writePath.settled();
    await loop.flush();
  }

  const handlers = createHandlers({
    ...parts,
    versions: createVersionReader(index, reader),
    commitAll: flush,
    settleHistory: () =>
      flush().catch((error: unknown) =>
        logger.warn({ err: error }, 'answering before all writes are committed'),
      ),
  });

  return {
    async call(operation, input, caller) {
      if (!isOpen) throw new AppError('SHUTTING_DOWN');
      const handle = handlers[operation] as (input: unknown, caller: MemoryCaller) => Promise<never>;
      return handle(parseInput(operation, input), caller);
    },
    flush,
    refresh: () => loop.poll(),
    onChange: (listener) => changes.on(listener),
    repositoryDir: git.repositoryDir,
    stopTaking() {
      isOpen = false;
    },
  };
}

function parseInput(operation: MemoryOperation, input: unknown): unknown {
  const parsed = memoryOperations[operation].input.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const extra = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const field = [...(issue?.path ?? []), ...extra].join('.') || 'input';
  throw new AppError('INVALID_INPUT', { field, problem: issue?.message ?? 'is not valid' });
}

/** Ends taking calls, commits what is acknowledged and stops everything; what Git refuses stays in the journal. */
async function closeMemory(memory: OpenedMemory, parts: AsyncDisposableStack, logger: Logger): Promise<void> {
  memory.stopTaking();
  await memory
    .flush()
    .catch((error: unknown) => logger.warn({ err: error }, 'closing with memory writes left in the journal'));
  await parts.disposeAsync();
}
