/** JSON Lines: one memory a line, with everything the coordinator says about it. */

import { z } from 'zod';
import { messageOf } from '../../../kernel/errors.ts';
import {
  keyShape,
  scopeShape,
  sequenceShape,
  threadShape,
  valueShape,
} from '../../../kernel/memory/operations.ts';
import { badInput, type MemoryEntry, type StoredMemory } from './memory-entry.ts';

/** Other fields, such as `updatedAt` and `etag`, say how it was; they cannot be stored. */
const lineShape = z.object({
  key: keyShape,
  scope: scopeShape.optional(),
  value: valueShape,
  tags: z.array(z.string()).default([]),
  thread: threadShape.optional(),
  sequence: sequenceShape.optional(),
});

/** The line of a memory, with its line end. */
export function encodeJsonLine(memory: StoredMemory): string {
  const { key, scope, value, tags, thread, sequence, updatedAt, actor, etag } = memory;
  return `${JSON.stringify({ key, scope, value, tags, thread, sequence, updatedAt, actor, etag })}\n`;
}

/** The JSON value of a line. Throws INVALID_INPUT naming the place. */
export function parseLine(line: string, place: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw badInput(place, `is not JSON: ${messageOf(error)}`);
  }
}

/** The memory of a line. Throws INVALID_INPUT naming the place. */
export function decodeJsonLine(line: string, place: string): MemoryEntry {
  const result = lineShape.safeParse(parseLine(line, place));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw badInput(place, `${issue?.path.join('.') || 'line'}: ${issue?.message}`);
}
