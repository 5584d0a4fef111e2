/**
 * Makes a data folder out of a backup or a clone. All is built and checked beside the folder and swapped in at the
 * end by renaming; what was there before is moved aside, never deleted.
 */

import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { createGit } from '../git/run-git.ts';
import { readMain } from '../git/move-ref.ts';
import { toStorageError } from '../journal/journal.ts';
import { lockDataDir } from '../lock-data-dir.ts';
import { type Finding } from '../verify/finding.ts';
import { type OnStep, verifyMemory } from '../verify/verify-memory.ts';
import { readRefs } from './capture.ts';
import { type Fetched, type SourceOptions, fetchMemory } from './recovery-source.ts';

export interface RecoverOptions extends SourceOptions {
  readonly dataDir: string;
  /** Moves aside what is in the data folder; without it such a folder is refused. */
  readonly replace: boolean;
  readonly onStep?: OnStep | undefined;
}

export interface Recovered extends Fetched {
  readonly head: string | null;
  readonly refs: number;
  readonly commits: number;
  /** Where the former folder is now. */
  readonly replaced?: string;
  /** Entries of the former folder that are no part of the memory, and were copied into the new one. */
  readonly copied: readonly string[];
  readonly findings: readonly Finding[];
  readonly seconds: number;
}

/** What a data folder holds of the memory, or of a coordinator that ran; the rest is state of other parts. */
const ownEntries = /^(?:memory\.git|journal|index\.sqlite.*|coordinator\..*|processes)$/;

/**
 * Recovers the memory into the data folder. Throws ALREADY_RUNNING for a folder in use, INVALID_INPUT for one that
 * is not empty, BACKUP_DAMAGED, and what the source throws; then the folder is as it was.
 */
export async function recoverMemory(options: RecoverOptions): Promise<Recovered> {
  const startedMs = performance.now();
  const { replace, onStep = () => {} } = options;
  const dataDir = resolve(options.dataDir);
  const present = await entriesOf(dataDir);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const staging = `${dataDir}.recovering-${stamp}-${process.pid}`;
  if (present !== undefined && present.length > 0 && !replace) {
    const problem = `${dataDir} is not empty; --replace moves it aside and keeps it`;
    throw new AppError('INVALID_INPUT', { field: 'data', problem });
  }
  using stack = new DisposableStack();
  if (present !== undefined) stack.use(lockDataDir(dataDir));
  try {
    await mkdir(staging, { recursive: true, mode: 0o700 });
    onStep('reading the source');
    const fetched = await fetchMemory(options, staging);
    const report = await verifyMemory({ dataDir: staging, isLive: false, isFull: false }, onStep);
    requireHealthy(report.findings, fetched, options.from);
    const git = createGit(join(staging, 'memory.git'));
    const about = { head: readMain(git.repositoryDir), refs: (await readRefs(git)).length };
    const restored = new Set(await readdir(staging));
    const copied = (present ?? []).filter((name) => !ownEntries.test(name) && !restored.has(name));
    for (const name of copied) await cp(join(dataDir, name), join(staging, name), { recursive: true });
    onStep('swapping the folders');
    // Windows does not rename a folder that has open files.
    if (process.platform === 'win32') stack.dispose();
    const aside = `${dataDir}.replaced-${stamp}`;
    const isReplaced = await swapIn(staging, dataDir, present, aside);
    return {
      ...fetched,
      ...about,
      commits: report.checked.commits,
      ...(isReplaced && { replaced: aside }),
      copied,
      findings: report.findings,
      seconds: Number(((performance.now() - startedMs) / 1000).toFixed(3)),
    };
  } catch (error) {
    await rm(staging, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

/** Names in the folder without the lock's own; undefined when there is no folder. */
async function entriesOf(dataDir: string): Promise<string[] | undefined> {
  try {
    const names = await readdir(dataDir);
    return names.filter((name) => !/^coordinator\.(?:lock|pid)$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw toStorageError(error, dataDir);
  }
}

function requireHealthy(findings: readonly Finding[], { id }: Fetched, from: string): void {
  const wrong = findings.find(({ severity }) => severity === 'error');
  if (!wrong) return;
  throw new AppError('BACKUP_DAMAGED', { id: id ?? from, problem: `${wrong.where}: ${wrong.problem}` });
}

/** True when something was moved aside. */
async function swapIn(
  staging: string,
  dataDir: string,
  present: readonly string[] | undefined,
  aside: string,
): Promise<boolean> {
  try {
    if (present === undefined) {
      await rename(staging, dataDir);
      return false;
    }
    await rename(dataDir, aside);
    try {
      await rename(staging, dataDir);
    } catch (error) {
      await rename(aside, dataDir);
      throw error;
    }
    if (present.length > 0) return true;
    await rm(aside, { recursive: true, force: true });
    return false;
  } catch (error) {
    throw new AppError('STORAGE_FAILED', { path: dataDir, problem: messageOf(error) }, { cause: error });
  }
}
