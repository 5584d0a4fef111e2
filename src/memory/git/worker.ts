/** Entry of the Git worker thread: does one request after the other, off the coordinator's event loop. */

import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { createGitWriter } from './git-writer.ts';
import {
  type WorkerAnswer,
  type WorkerOptions,
  type WorkerRequest,
  toFailure,
  unpackBatch,
} from './worker-messages.ts';

const options = workerData as WorkerOptions;
const writer = createGitWriter(options);

/** A checkpoint waits for the disk, which the coordinator's event loop must not. */
function foldIndexLog(): void {
  const db = new DatabaseSync(options.indexPath);
  try {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } finally {
    db.close();
  }
}

async function answer(request: WorkerRequest): Promise<WorkerAnswer> {
  const { id } = request;
  try {
    if (request.op === 'commit') return { id, outcome: await writer.commit(unpackBatch(request.batch)) };
    if (request.op === 'upkeep') {
      foldIndexLog();
      return { id, outcome: await writer.upkeep() };
    }
    await writer[Symbol.asyncDispose]();
    return { id, outcome: true };
  } catch (error) {
    return toFailure(id, error, options.repositoryDir);
  }
}

async function handle(previous: Promise<void>, request: WorkerRequest): Promise<void> {
  await previous;
  parentPort?.postMessage(await answer(request), []);
}

let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: WorkerRequest) => {
  last = handle(last, request);
});
