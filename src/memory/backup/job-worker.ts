/** Entry of the worker that writes a backup or checks the memory: one job, then it ends. */

import { parentPort, workerData } from 'node:worker_threads';
import { isAppError } from '../../kernel/errors.ts';
import { toStorageError } from '../journal/journal.ts';
import { verifyMemory } from '../verify/verify-memory.ts';
import type { Job, JobMessage, JobResult } from './job-thread.ts';
import { writeBackup } from './write-backup.ts';

/** Progress is told at most once for so many bytes. */
const progressBytes = 4 * 1024 * 1024;

function tell(message: JobMessage): void {
  parentPort?.postMessage(message, []);
}

async function run(job: Job): Promise<JobResult<Job['kind']>> {
  if (job.kind === 'verify') return verifyMemory(job.input, (step) => tell({ step }));
  let told = 0;
  return writeBackup(job.input, (bytes) => {
    if (bytes - told < progressBytes) return;
    told = bytes;
    tell({ step: `${bytes} bytes` });
  });
}

async function main(): Promise<void> {
  try {
    tell({ result: await run(workerData as Job) });
  } catch (error) {
    const { code, data } = isAppError(error) ? error : toStorageError(error, 'the backup');
    tell({ code, data });
  }
}

void main();
