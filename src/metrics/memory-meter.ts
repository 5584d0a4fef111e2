/** Counts what is asked of the memory, and how long it takes. */

import { codeOf } from '../kernel/observations.ts';
import type { MemoryClient, MemoryOperation } from '../kernel/memory/operations.ts';
import { createHistogram, type Histogram } from './histogram.ts';

export interface MemoryMeter {
  /** Durations by operation and outcome: `ok`, or the code of the error. */
  readonly durations: ReadonlyMap<MemoryOperation, ReadonlyMap<string, Histogram>>;
  /** The same memory, its calls counted. */
  watch<M extends MemoryClient>(memory: M): M;
}

export function createMemoryMeter(): MemoryMeter {
  const durations = new Map<MemoryOperation, Map<string, Histogram>>();

  function observe(operation: MemoryOperation, outcome: string, startedAtMs: number): void {
    const own = durations.get(operation) ?? new Map<string, Histogram>();
    const histogram = own.get(outcome) ?? createHistogram();
    durations.set(operation, own.set(outcome, histogram));
    histogram.observe(performance.now() - startedAtMs);
  }

  return {
    durations,
    watch: (memory) => ({
      ...memory,
      async call(operation, input, caller) {
        const startedAtMs = performance.now();
        try {
          const result = await memory.call(operation, input, caller);
          observe(operation, 'ok', startedAtMs);
          return result;
        } catch (error) {
          observe(operation, codeOf(error), startedAtMs);
          throw error;
        }
      },
    }),
  };
}
