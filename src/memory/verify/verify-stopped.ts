/** The check of a data folder on which no coordinator runs. */

import { existsSync } from 'node:fs';
import { AppError } from '../../kernel/errors.ts';
import { lockDataDir } from '../lock-data-dir.ts';
import { type OnStep, type VerifyJob, type VerifyReport, verifyMemory } from './verify-memory.ts';

/** Keeps coordinators away meanwhile. Throws NOT_FOUND without such a folder, and ALREADY_RUNNING. */
export async function verifyStopped(job: Omit<VerifyJob, 'isLive'>, onStep: OnStep): Promise<VerifyReport> {
  if (!existsSync(job.dataDir)) throw new AppError('NOT_FOUND', { what: 'data folder', id: job.dataDir });
  using _lock = lockDataDir(job.dataDir);
  return await verifyMemory({ ...job, isLive: false }, onStep);
}
