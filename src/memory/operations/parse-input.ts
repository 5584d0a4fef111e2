/** What the edges hand in, held against the shape of its operation. */

import { AppError } from '../../kernel/errors.ts';
import { type MemoryOperation, memoryOperations } from '../../kernel/memory/operations.ts';

/** The input as its handler takes it. Throws INVALID_INPUT naming the field. */
export function parseInput(operation: MemoryOperation, input: unknown): unknown {
  const parsed = memoryOperations[operation].input.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const extra = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const field = [...(issue?.path ?? []), ...extra].join('.') || 'input';
  throw new AppError('INVALID_INPUT', { field, problem: issue?.message ?? 'is not valid' });
}
