/** Who waits for which write: its caller, and for a relaxed one also those who want it on the disk. */

import type { AppError } from '../kernel/errors.ts';
import { type WriteRecord, memoryId } from './write-record.ts';

/** Promises of one write; for a strict one they are the same. */
interface Waiting {
  readonly acknowledged: PromiseWithResolvers<void>;
  readonly durable: PromiseWithResolvers<void>;
}

export interface Acknowledgements {
  /** Waits for a write by its sequence. */
  take(
    seq: number,
    isStrict: boolean,
  ): { readonly acknowledged: Promise<void>; readonly durable: Promise<void> };
  /** True for a relaxed write that is not on the disk for sure. */
  isRelaxed(seq: number): boolean;
  /** Answers the caller of a relaxed write. */
  acknowledge(seq: number): void;
  /** True for a relaxed write that was answered and is not on the disk for sure. */
  isAcknowledged(seq: number): boolean;
  /** The write is on the disk, or failed. */
  settle(seq: number, failure: AppError | undefined): void;
}

/** Nobody waits yet. */
export function createAcknowledgements(): Acknowledgements {
  const waiting = new Map<number, Waiting>();
  const answered = new Set<number>();
  return {
    take(seq, isStrict) {
      const durable = Promise.withResolvers<void>();
      const acknowledged = isStrict ? durable : Promise.withResolvers<void>();
      waiting.set(seq, { acknowledged, durable });
      if (!isStrict) durable.promise.catch(() => {});
      return { acknowledged: acknowledged.promise, durable: durable.promise };
    },
    isRelaxed(seq) {
      const one = waiting.get(seq);
      return one !== undefined && one.acknowledged !== one.durable;
    },
    acknowledge(seq) {
      waiting.get(seq)?.acknowledged.resolve();
      answered.add(seq);
    },
    isAcknowledged: (seq) => answered.has(seq),
    settle(seq, failure) {
      const one = waiting.get(seq);
      waiting.delete(seq);
      answered.delete(seq);
      for (const promise of one ? [one.acknowledged, one.durable] : []) {
        if (failure) promise.reject(failure);
        else promise.resolve();
      }
    },
  };
}

/** Writes with no other one of their key before them: those may be seen before the group is on the disk. */
export function firstOfKeys(records: readonly WriteRecord[]): WriteRecord[] {
  const ids = new Set<string>();
  return records.filter(({ scope, key }) => {
    const id = memoryId(scope, key);
    const isFirst = !ids.has(id);
    ids.add(id);
    return isFirst;
  });
}
