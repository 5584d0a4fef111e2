/** What every format reads: a memory without its history. */

import { AppError } from '../../../kernel/errors.ts';
import type { MemoryOutput } from '../../../kernel/memory/operations.ts';

/** A memory as a format holds it. */
export interface MemoryEntry {
  readonly key: string;
  /** Only where the format keeps it. */
  readonly scope?: string | undefined;
  readonly value: unknown;
  readonly tags: readonly string[];
  /** What it is a part of, and its place there. */
  readonly thread?: string | undefined;
  readonly sequence?: number | undefined;
}

/** A memory as the coordinator answers it. */
export type StoredMemory = MemoryOutput<'retrieve'>;

/** What is wrong in a file that someone gave us; `place` names the file and, where there is one, the line. */
export function badInput(place: string, problem: string): AppError {
  return new AppError('INVALID_INPUT', { field: place, problem });
}

/** Thread and sequence, as far as they are there; undefined when one of them is of another type. */
export function readPosition(
  thread: unknown,
  sequence: unknown,
): Pick<MemoryEntry, 'thread' | 'sequence'> | undefined {
  if (thread !== undefined && typeof thread !== 'string') return undefined;
  if (sequence !== undefined && !Number.isSafeInteger(sequence)) return undefined;
  return {
    ...(thread !== undefined && { thread }),
    ...(sequence !== undefined && { sequence: sequence as number }),
  };
}

/** Tags as a sorted set in NFC, as the memory keeps them. */
export function tagSet(tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => tag.normalize('NFC')))].sort();
}
