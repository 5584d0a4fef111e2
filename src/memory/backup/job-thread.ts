/** Long jobs in a worker of their own, so that the coordinator's event loop and its Git worker go on. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../kernel/errors.ts';
import type { VerifyJob, VerifyReport } from '../verify/verify-memory.ts';
import type { BackupJob, BackupResult } from './write-backup.ts';

export type Job =
  | { readonly kind: 'backup'; readonly input: BackupJob }
  | { readonly kind: 'verify'; readonly input: VerifyJob };

export type JobResult<Kind extends Job['kind']> = Kind extends 'backup' ? BackupResult : VerifyReport;

export type JobMessage =
  | { readonly step: string }
  | { readonly result: BackupResult | VerifyReport }
  | { readonly code: ErrorCode; readonly data: object };

/** Runs a job in a new worker; the signal ends it in the middle. Throws what the job throws, or SHUTTING_DOWN. */
export async function runJob<Kind extends Job['kind']>(
  job: Extract<Job, { kind: Kind }>,
  options: { readonly signal: AbortSignal; readonly onStep?: ((step: string) => void) | undefined },
): Promise<JobResult<Kind>> {
  const { signal, onStep } = options;
  if (signal.aborted) throw new AppError('SHUTTING_DOWN');
  // The build renames imports, but not this: the published file is JavaScript.
  const entry = import.meta.url.endsWith('.ts')
    ? new URL('./job-worker.ts', import.meta.url)
    : new URL('./job-worker.js', import.meta.url);
  const worker = new Worker(entry, { workerData: job });
  const { promise, resolve, reject } = Promise.withResolvers<JobResult<Kind>>();
  const stop = () => {
    reject(new AppError('SHUTTING_DOWN'));
  };
  signal.addEventListener('abort', stop, { once: true });
  worker.on('message', (message: JobMessage) => {
    if ('step' in message) onStep?.(message.step);
    else if ('result' in message) resolve(message.result as JobResult<Kind>);
    else reject(new AppError(message.code, { ...message.data }));
  });
  worker.on('error', (error) => reject(new AppError('INTERNAL', {}, { cause: error })));
  const exited = once(worker, 'exit');
  worker.on('exit', (code) =>
    reject(new AppError('INTERNAL', {}, { cause: new Error(`the worker ended (${code})`) })),
  );
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    // One that is done ends by itself: ending it from outside can crash the whole process.
    if (signal.aborted) await worker.terminate();
    else await exited;
  }
}
