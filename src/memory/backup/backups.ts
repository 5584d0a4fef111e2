/** Makes backups, one at a time, when asked and by schedule, and remembers how they went. */

import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import type { CommitLoop } from '../commit-loop.ts';
import type { Git } from '../git/run-git.ts';
import { packBatch } from '../threads/packed-batch.ts';
import { readSalt } from '../encryption/keyring.ts';
import { type BackupState, readBackupState, writeBackupState } from './backup-state.ts';
import { type Capture, captureMemory } from './capture.ts';
import { createBackupKey } from './encryption.ts';
import { runJob } from './job-thread.ts';
import { newBackupId } from './manifest.ts';
import { type TargetSettings, openBackupTarget } from './open-target.ts';
import type { Keep } from './retention.ts';
import { type Schedule, nextDueMs } from './schedule.ts';
import { type StoredBackup, findBackups, removeBackup } from './stored-backups.ts';
import type { BackupResult } from './write-backup.ts';

/** `memory.backup` of the config with its references read. */
export interface BackupSettings extends TargetSettings, Schedule {
  readonly keep: Keep;
  readonly encryptionKey?: string | undefined;
}

type Answer = MemoryOutput<'backup'>;

export interface Backups extends AsyncDisposable {
  /** Absent when the config names no place. */
  readonly settings: BackupSettings | undefined;
  /** Makes one now. Throws INVALID_INPUT without a place, BACKUP_FAILED, GIT_FAILED, DISK_FULL, STORAGE_FAILED. */
  create(): Promise<Answer>;
  list(): Promise<Answer>;
  /** Makes one, then takes away all others. Throws as `create` does. */
  renew(): Promise<{ made: string; removed: string[] }>;
}

const retryMs = 600_000;
/** Timers cannot wait for weeks, and the machine's clock may be set meanwhile. */
const longestWaitMs = 3_600_000;

/** Starts the schedule, if there is one. Throws INVALID_INPUT for a bad encryption key. */
export function createBackups(parts: {
  readonly settings: BackupSettings | undefined;
  readonly git: Git;
  readonly loop: CommitLoop;
  /** Resolves when all that was acknowledged is in the journal. */
  readonly settled: () => Promise<void>;
  /** Absolute. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): Backups {
  const { settings, git, loop, settled, dataDir, clock, logger } = parts;
  // A key that is none shows now, not at night.
  if (settings?.encryptionKey !== undefined) createBackupKey(settings.encryptionKey);
  const statePath = join(dataDir, 'backup.json');
  const closing = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  let cancelTimer: (() => void) | undefined;
  let notBeforeMs = 0;

  function requireSettings(): BackupSettings {
    if (settings) return settings;
    const problem = 'is not set: name a folder or s3://bucket/prefix in the config, and start again';
    throw new AppError('INVALID_INPUT', { field: 'memory.backup.to', problem });
  }

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  }

  async function readState(): Promise<BackupState> {
    const state = await readBackupState(statePath);
    // Another place knows nothing of what went to the former one.
    return state.target === settings?.to ? state : { target: settings?.to ?? '' };
  }

  const captureNow = () =>
    captureMemory({ git, loop, journalDir: join(dataDir, 'journal') }, () => clock.now());

  async function makeNow() {
    // Held from before the capture on: the objects that it names must not move to another pack meanwhile.
    using _held = await loop.holdUpkeep();
    await settled();
    return make(await captureNow());
  }

  async function make(
    capture: Capture,
  ): Promise<{ result: BackupResult; state: BackupState; seconds: number }> {
    const { to, endpoint, region, credentials, encryptionKey, keep } = requireSettings();
    const before = await readState();
    const id = newBackupId(capture.atMs);
    await writeBackupState(statePath, { ...before, unfinished: id });
    const startedMs = performance.now();
    try {
      const input = {
        id,
        repositoryDir: git.repositoryDir,
        capture: { ...capture, waiting: packBatch(capture.waiting) },
        target: { to, endpoint, region, credentials },
        encryptionKey,
        keySalt: readSalt(dataDir),
        keep,
        unfinished: before.unfinished,
      };
      const result = await runJob({ kind: 'backup', input }, { signal: closing.signal });
      const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(3));
      const { manifest, bytes, removed, tidyProblem } = result;
      if (tidyProblem !== undefined)
        logger.warn({ problem: tidyProblem }, 'older backups could not be tidied up');
      logger.info({ id, bytes, seconds, removed: removed.length }, 'made a backup of the memory');
      const state: BackupState = {
        target: to,
        lastSuccess: { id, at: manifest.at, bytes, seconds },
        fingerprint: fingerprintOf(capture),
        doneAtMs: capture.atMs,
      };
      await writeBackupState(statePath, state);
      return { result, state, seconds };
    } catch (error) {
      const lastError = { at: new Date(clock.now()).toISOString(), message: messageOf(error) };
      // A stop in the middle leaves its parts for the next backup to take away.
      const unfinished = closing.signal.aborted ? id : undefined;
      await writeBackupState(statePath, { ...before, lastError, unfinished }).catch(() => {});
      throw error;
    }
  }

  /** By schedule: not when the memory is as the last backup has it, which would only push older ones out. */
  async function makeIfChanged(): Promise<void> {
    // What waits would look like a change when it is in Git the next time. A failure shows below, if it matters.
    await settled();
    await loop.flush().catch(() => {});
    using _held = await loop.holdUpkeep();
    const now = await captureNow();
    const state = await readState();
    if (state.fingerprint === fingerprintOf(now) && state.lastSuccess) {
      const { id } = state.lastSuccess;
      const { whole } = await findBackups(openBackupTarget(requireSettings()));
      if (whole.some((one) => one.id === id && one.problem === undefined)) {
        await writeBackupState(statePath, { ...state, doneAtMs: now.atMs });
        return;
      }
    }
    await make(now);
  }

  async function schedule(): Promise<void> {
    if (!settings || closing.signal.aborted) return;
    const { doneAtMs } = await readState();
    const dueMs = nextDueMs(settings, doneAtMs, clock.now());
    if (dueMs === undefined || closing.signal.aborted) return;
    const waitMs = Math.max(0, Math.max(dueMs, notBeforeMs) - clock.now());
    cancelTimer = clock.after(Math.min(waitMs, longestWaitMs), () => {
      const task = waitMs > longestWaitMs ? Promise.resolve() : inTurn(makeIfChanged);
      task
        .catch((error: unknown) => {
          notBeforeMs = clock.now() + retryAfterMs(settings);
          logger.error({ err: error }, 'the memory could not be backed up');
        })
        .then(schedule)
        .catch((error: unknown) => logger.error({ err: error }, 'no more backups are made by schedule'));
    });
  }

  async function answer(backups: readonly StoredBackup[], more: Partial<Answer> = {}): Promise<Answer> {
    const { to, ...own } = requireSettings();
    const { lastSuccess, lastError, doneAtMs } = await readState();
    const dueMs = nextDueMs(own, doneAtMs, clock.now());
    return {
      target: to,
      backups: backups.map(toRow),
      removed: [],
      ...(lastSuccess && { lastSuccess }),
      ...(lastError && { lastError }),
      ...(dueMs !== undefined && { nextAt: new Date(dueMs).toISOString() }),
      ...more,
    };
  }

  const scheduling = schedule();
  scheduling.catch((error: unknown) => logger.error({ err: error }, 'no backups are made by schedule'));

  return {
    settings,
    async create() {
      requireSettings();
      const { result, seconds } = await inTurn(makeNow);
      const { manifest, bytes, removed } = result;
      const made = { id: manifest.id, atMs: Date.parse(manifest.at), manifest, names: [], bytes };
      return answer([made], { removed: [...removed], seconds });
    },
    renew: () =>
      inTurn(async () => {
        const target = openBackupTarget(requireSettings());
        const { result } = await makeNow();
        const made = result.manifest.id;
        const { whole, partial } = await findBackups(target);
        const others = [...whole, ...partial].filter(({ id }) => id !== made);
        for (const one of others) await removeBackup(target, one);
        return { made, removed: [...result.removed, ...others.map(({ id }) => id)] };
      }),
    async list() {
      const { whole } = await findBackups(openBackupTarget(requireSettings()));
      return answer(whole);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      cancelTimer?.();
      await scheduling.catch(() => {});
      cancelTimer?.();
      await last;
    },
  };
}

function retryAfterMs({ everyHours = Infinity }: Schedule): number {
  return Math.min(retryMs, everyHours * 3_600_000);
}

/** The same for two moments between which nothing changed. */
function fingerprintOf({ refs, lastSeq }: Capture): string {
  return hash('sha256', `${refs.map(({ id, name }) => `${id} ${name}\n`).join('')}${lastSeq}`, 'hex');
}

function toRow({ id, atMs, bytes, manifest, problem }: StoredBackup): Answer['backups'][number] {
  return {
    id,
    at: manifest?.at ?? new Date(atMs).toISOString(),
    bytes,
    head: manifest?.head ?? null,
    lastSeq: manifest?.lastSeq ?? 0,
    encrypted: manifest?.encrypted ?? false,
    ...(problem !== undefined && { problem }),
  };
}
