/**
 * Signs the end of each chain every so many records, every so many minutes and at a stop, and writes it down twice: beside
 * the log, and in the Git memory under `coordinator/audit/`, from where it goes wherever the memory goes.
 */

import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { MemoryClient } from '../../kernel/memory/operations.ts';
import { auditFolder, recordScope as scope } from '../../kernel/memory/record-keys.ts';
import type { AuditHead } from '../../store/audit-records.ts';
import type { AuditStore } from '../../store/open-audit-store.ts';
import type { CheckpointKey } from './checkpoint-keys.ts';

export interface Checkpointer extends AsyncDisposable {
  /** Hears how far a chain has come. */
  onWritten(tenant: string, head: AuditHead, count: number): void;
}

export interface CheckpointerOptions {
  readonly store: AuditStore;
  readonly memory: Pick<MemoryClient, 'call'>;
  readonly key: CheckpointKey;
  readonly everyRecords: number;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Progress {
  head: AuditHead;
  /** Records since the last checkpoint. */
  since: number;
}

const caller = { actor: 'audit', agent: 'coordinator' };
/** So many digits that keys are in the order of the chain. */
const seqDigits = 12;

export function checkpointFolder(tenant: string): string {
  return `${auditFolder}/checkpoints/${tenant}`;
}

export const publicKeyFolder = `${auditFolder}/keys`;

/** Begins where the last run has left: what it did not get to sign is signed soon. */
export async function openCheckpointer(options: CheckpointerOptions): Promise<Checkpointer> {
  const { store, memory, key, clock, logger } = options;
  const chains = new Map<string, Progress>();
  let isKeyKept = false;
  let turn: Promise<void> = Promise.resolve();
  let cancel: (() => void) | undefined;

  async function keep(tenant: string, { seq, hash }: AuditHead): Promise<void> {
    const unsigned = { tenant, seq, hash, at: new Date(clock.now()).toISOString(), keyId: key.id };
    const checkpoint = { ...unsigned, signature: key.sign(unsigned) };
    await store.checkpoints.add(checkpoint);
    if (!isKeyKept) {
      const value = { algorithm: 'Ed25519', publicKey: key.publicKey };
      await memory.call('store', { scope, key: `${publicKeyFolder}/${key.id}`, value }, caller);
      isKeyKept = true;
    }
    const name = `${checkpointFolder(tenant)}/${String(seq).padStart(seqDigits, '0')}`;
    await memory.call('store', { scope, key: name, value: checkpoint }, caller);
  }

  async function sign(tenant: string, progress: Progress): Promise<void> {
    const { head, since } = progress;
    if (since === 0) return;
    progress.since = 0;
    try {
      await keep(tenant, head);
    } catch (error) {
      progress.since += since;
      logger.warn({ tenant, problem: messageOf(error) }, 'could not keep a checkpoint of the audit log');
    }
  }

  async function signEach(): Promise<void> {
    for (const [tenant, progress] of chains) await sign(tenant, progress);
  }

  async function signAll(): Promise<void> {
    turn = turn.then(signEach);
    await turn;
  }

  function tick(): void {
    cancel = clock.after(options.everyMs, () => {
      void signAll();
      tick();
    });
  }

  for (const tenant of await store.records.tenants()) {
    const head = await store.records.head(tenant);
    const last = await store.checkpoints.newest(tenant);
    if (head) chains.set(tenant, { head, since: Math.max(0, head.seq - (last?.seq ?? 0)) });
  }
  tick();

  return {
    onWritten(tenant, head, count) {
      const progress = chains.get(tenant) ?? { head, since: 0 };
      chains.set(tenant, progress);
      progress.head = head;
      progress.since += count;
      if (progress.since >= options.everyRecords) turn = turn.then(() => sign(tenant, progress));
    },
    async [Symbol.asyncDispose]() {
      cancel?.();
      await signAll();
    },
  };
}
