/** The erasure that is under way, in a file, so that the next start finishes what a kill left. */

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Backups } from '../backup/backups.ts';
import { writePrivately } from '../encryption/private-file.ts';
import { type Landing, landingPath, writeLandingFile } from '../git/landing.ts';
import type { Git } from '../git/run-git.ts';
import { removeIndexFiles } from '../index/open-index-db.ts';
import { type EraseTarget, eraseHistory } from './erase-history.ts';

const jobShape = z.object({
  target: z.object({ scope: z.string(), keys: z.array(z.string()), prefix: z.string().optional() }),
  /** What is still to be done: all, or only a new backup in place of those that hold it. */
  left: z.enum(['history', 'backups']),
  keepBackups: z.boolean(),
});

export type ErasureJob = z.infer<typeof jobShape>;

function jobPath(dataDir: string): string {
  return join(dataDir, 'erasure.json');
}

/** Notes the job durably before its first step, and again when a part is done. */
export function writeErasureJob(
  dataDir: string,
  job: Omit<ErasureJob, 'target'> & { target: EraseTarget },
): void {
  writePrivately(jobPath(dataDir), `${JSON.stringify(job)}\n`);
}

/** The job is done. */
export function clearErasureJob(dataDir: string): void {
  rmSync(jobPath(dataDir), { force: true });
}

/** The job that is under way; undefined when there is none. Throws STORAGE_FAILED for a damaged file. */
export function readErasureJob(dataDir: string): ErasureJob | undefined {
  const path = jobPath(dataDir);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return jobShape.parse(JSON.parse(text));
  } catch (error) {
    const problem = 'is damaged: repeat the memory forget that was interrupted, then delete the file';
    throw new AppError('STORAGE_FAILED', { path, problem }, { cause: error });
  }
}

/**
 * Finishes what a former run left of the history, before anything is opened; the index is made anew. Returns what
 * is then left. Throws GIT_FAILED, DISK_FULL, STORAGE_FAILED.
 */
export async function resumeErasure(parts: {
  readonly git: Git;
  readonly dataDir: string;
  readonly journalDir: string;
  readonly landed: Landing;
  readonly logger: Logger;
}): Promise<ErasureJob | undefined> {
  const { git, dataDir, journalDir, landed, logger } = parts;
  const job = readErasureJob(dataDir);
  if (job?.left !== 'history') return job;
  logger.warn({}, 'finishing an erasure that was interrupted');
  // Afterwards main does not have the commits behind it that the file names.
  writeLandingFile(landingPath(journalDir), { landed, attempts: [] });
  await eraseHistory(git, job.target);
  removeIndexFiles(join(dataDir, 'index.sqlite'));
  const left = { ...job, left: 'backups' } as const;
  writeErasureJob(dataDir, left);
  return left;
}

/** Renews the backups if that is left, in the background. */
export function finishErasure(
  job: ErasureJob | undefined,
  parts: { readonly dataDir: string; readonly backups: Backups; readonly logger: Logger },
): void {
  if (!job) return;
  const { dataDir, backups, logger } = parts;
  const renewed = job.keepBackups || !backups.settings ? Promise.resolve() : backups.renew();
  renewed.then(
    () => clearErasureJob(dataDir),
    (error: unknown) => logger.error({ err: error }, 'backups still hold what was forgotten'),
  );
}
