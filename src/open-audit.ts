/** The audit log put together. Part of the composition root, like `coordinator.ts`. */

import { isAuditOn } from './config/audit-shape.ts';
import type { LoadedConfig } from './config/load-config.ts';
import type { AuditChange, AuditTrail } from './kernel/audit.ts';
import type { CallGuard } from './kernel/call-guard.ts';
import { systemClock } from './kernel/clock.ts';
import { messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import type { MemoryClient } from './kernel/memory/operations.ts';
import { createAuditChange } from './metering/audit/audit-change.ts';
import { createAuditGuard } from './metering/audit/audit-guard.ts';
import { type AuditLog, createAuditLog } from './metering/audit/audit-log.ts';
import { type AuditFigures, createAuditWriter } from './metering/audit/audit-writer.ts';
import { openCheckpointKey } from './metering/audit/checkpoint-keys.ts';
import { openCheckpointer } from './metering/audit/checkpointer.ts';
import { cutOldRecords } from './metering/audit/cut-old-records.ts';
import { digestOf, type PrepareOptions } from './metering/audit/encode-record.ts';
import { readCheckpoints } from './metering/audit/read-checkpoints.ts';
import { redactArguments } from './metering/audit/redact-arguments.ts';
import { createRefusalNotes, type Refusal } from './metering/audit/refusal-notes.ts';
import { type AuditStore, openAuditStore } from './store/open-audit-store.ts';

export interface Audit {
  readonly guard: CallGuard;
  /** Takes what has happened, without waiting. */
  readonly note: AuditTrail['note'];
  readonly change: AuditChange;
  readonly onRefused: (refusal: Refusal) => void;
  readonly log: AuditLog;
  readonly figures: () => AuditFigures;
  /** From now on records name this config. */
  readonly noteConfig: (loaded: LoadedConfig) => void;
}

export interface OpenAuditOptions {
  readonly loaded: LoadedConfig;
  readonly dataDir: string;
  readonly memory: Pick<MemoryClient, 'call'>;
  readonly logger: Logger;
}

/** Another process that writes keeps calls waiting at most so long: it is tried again in the background. */
const busyTimeoutMs = 100;
const hourMs = 3_600_000;

/** Undefined where nothing is to be written down. Throws STORAGE_FAILED. */
export async function openAudit(
  parts: AsyncDisposableStack,
  { loaded, dataDir, memory, logger }: OpenAuditOptions,
): Promise<Audit | undefined> {
  const { audit } = loaded.config;
  if (!isAuditOn(loaded.config)) return undefined;
  const clock = systemClock;
  let config = digestOf(loaded.config);
  const prepare: PrepareOptions = {
    config: () => config,
    ...(audit.arguments === 'redacted' && { redact: redactArguments }),
  };
  const store = parts.use(await openAuditStore(dataDir, busyTimeoutMs));
  const key = await openCheckpointKey(dataDir);
  const checkpointer = parts.use(
    await openCheckpointer({
      store,
      memory,
      key,
      everyRecords: audit.checkpointEvery,
      everyMs: audit.checkpointMinutes * 60_000,
      clock,
      logger,
    }),
  );
  const writer = parts.use(
    createAuditWriter({
      ...prepare,
      records: store.records,
      clock,
      logger,
      onFailure: audit.onFailure,
      onWritten: (tenant, head, count) => checkpointer.onWritten(tenant, head, count),
    }),
  );
  const inTurn = createTurns();
  const stopCutting = keepCutting(store, audit.retentionDays, prepare, inTurn, logger);
  parts.defer(async () => {
    stopCutting();
    await inTurn(async () => {});
  });
  const refusals = parts.use(createRefusalNotes(writer, clock));
  return {
    guard: createAuditGuard(writer, clock),
    note: (event) => writer.note(event),
    change: createAuditChange(writer, clock),
    onRefused: (refusal) => refusals.note(refusal),
    log: createAuditLog({
      store,
      ownKey: key.publicKey,
      readKept: (tenant) => readCheckpoints(memory, tenant),
      inTurn,
      // What cannot be written now is not there to be read either.
      settle: () => writer.flush().catch(() => {}),
    }),
    figures: () => writer.figures,
    noteConfig(next) {
      config = digestOf(next.config);
    },
  };
}

/** One piece of work after the other. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}

/** Now, and every hour, as a day may have ended. */
function keepCutting(
  { records }: AuditStore,
  retentionDays: number,
  prepare: PrepareOptions,
  inTurn: ReturnType<typeof createTurns>,
  logger: Logger,
): () => void {
  let isStopped = false;
  let cancel: (() => void) | undefined;
  async function cut(): Promise<void> {
    for (const tenant of await records.tenants()) {
      if (isStopped) return;
      const removed = await cutOldRecords(records, tenant, retentionDays, systemClock, prepare);
      if (removed > 0) logger.info({ tenant, removed }, 'removed old records of the audit log');
    }
  }
  async function run(): Promise<void> {
    try {
      await inTurn(cut);
    } catch (error) {
      logger.warn({ problem: messageOf(error) }, 'could not remove old records of the audit log');
    }
    if (!isStopped) cancel = systemClock.after(hourMs, () => void run());
  }
  void run();
  return () => {
    isStopped = true;
    cancel?.();
  };
}
