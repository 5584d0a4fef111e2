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
}

/** A memory as the coordinator answers it. */
export type StoredMemory = MemoryOutput<'retrieve'>;

/** What is wrong in a file that someone gave us; `place` names the file and, where there is one, the line. */
export function badInput(place: string, problem: string): AppError {
  return new AppError('INVALID_INPUT', { field: place, problem });
}

/** Tags as a sorted set in NFC, as the memory keeps them. */
export function tagSet(tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => tag.normalize('NFC')))].sort();
}
