/** What journal and Git hold between them when a run begins. */

import { mkdir } from 'node:fs/promises';
import { isAppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { type Landing, landingPath, openLanding, readLandingFile } from './git/landing.ts';
import { readMain } from './git/move-ref.ts';
import { removeLeftovers } from './git/repository.ts';
import type { Git } from './git/run-git.ts';
import { toStorageError } from './journal/journal.ts';
import { recoverSegments } from './journal/segment-files.ts';

/** Takes away what a crash left half-made, and reads the rest. Throws GIT_FAILED, DISK_FULL or STORAGE_FAILED. */
export async function recoverState(git: Git, journalDir: string, logger: Logger) {
  try {
    await mkdir(journalDir, { recursive: true });
    const landingFile = landingPath(journalDir);
    const attempts = readLandingFile(landingFile)?.attempts ?? [];
    const head = readMain(git.repositoryDir);
    const own = attempts.map((attempt) => attempt.commit);
    await removeLeftovers(git, head, own, logger);
    const found = await recoverSegments(journalDir, logger);
    const landed = (await openLanding(git, landingFile, head, found.records)) ?? nothingLanded;
    return { ...found, landed };
  } catch (error) {
    throw isAppError(error) ? error : toStorageError(error, journalDir);
  }
}

const nothingLanded: Landing = { seq: 0, commit: '' };
