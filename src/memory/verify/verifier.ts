/** Checks of the memory beside the running coordinator: one at a time, in a worker. */

import { AppError } from '../../kernel/errors.ts';
import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import type { BackupSettings } from '../backup/backups.ts';
import { runJob } from '../backup/job-thread.ts';
import type { CommitLoop } from '../commit-loop.ts';
import type { VerifyReport } from './verify-memory.ts';

export interface Verifier extends AsyncDisposable {
  /** Throws OVERLOADED while another check runs, and INVALID_INPUT for backups without a place in the config. */
  run(input: MemoryInput<'verify'>): Promise<MemoryOutput<'verify'>>;
  status(): MemoryOutput<'verify'>;
}

/** A verifier that has found nothing yet. */
export function createVerifier(parts: {
  readonly dataDir: string;
  readonly loop: CommitLoop;
  readonly backups: BackupSettings | undefined;
}): Verifier {
  const { dataDir, loop, backups } = parts;
  const closing = new AbortController();
  let running: Promise<VerifyReport> | undefined;
  let step: string | undefined;
  let report: VerifyReport | undefined;

  function backupsToCheck() {
    if (!backups) {
      const problem = 'cannot be checked: memory.backup.to is not set in the config';
      throw new AppError('INVALID_INPUT', { field: 'backups', problem });
    }
    const { to, endpoint, region, credentials, encryptionKey } = backups;
    return { target: { to, endpoint, region, credentials }, encryptionKey };
  }

  function status(): MemoryOutput<'verify'> {
    return {
      running: running !== undefined,
      ...(step !== undefined && { step }),
      findings: [],
      ...(report && { ...report, findings: [...report.findings] }),
    };
  }

  return {
    status,
    async run({ full = false, backups: withBackups = false }) {
      if (running) throw new AppError('OVERLOADED', { problem: 'a check of the memory is under way' });
      const input = {
        dataDir,
        isLive: true,
        isFull: full,
        ...(withBackups && { backups: backupsToCheck() }),
      };
      const onStep = (now: string) => void (step = now);
      const check = async () => {
        // Git would miss objects whose pack is folded away under it.
        using _held = await loop.holdUpkeep();
        return await runJob({ kind: 'verify', input }, { signal: closing.signal, onStep });
      };
      try {
        running = check();
        report = await running;
      } finally {
        running = undefined;
        step = undefined;
      }
      return status();
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await running?.catch(() => {});
    },
  };
}
