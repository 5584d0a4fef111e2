/** The check of vectors that a service sent. */

import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';

const vectorsShape = z
  .array(z.array(z.number()).min(1).max(16_384))
  .refine((vectors) => vectors.every(({ length }) => length === vectors[0]?.length), {
    error: 'has vectors of different lengths',
  });

/** The vectors of an answer; throws UPSTREAM_PROTOCOL when they are not `count` vectors of one length. */
export function readVectors(value: unknown, count: number): Float32Array[] {
  const parsed = vectorsShape.safeParse(value);
  const problem = parsed.success
    ? `has ${parsed.data.length} vectors for ${count} texts`
    : (parsed.error.issues[0]?.message ?? 'is not valid');
  if (!parsed.success || parsed.data.length !== count) {
    throw new AppError('UPSTREAM_PROTOCOL', { server: 'embeddings', problem: `the answer ${problem}` });
  }
  return parsed.data.map((vector) => Float32Array.from(vector));
}
