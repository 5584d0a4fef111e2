/** Checks settings that an operator changes of a running server. */

import { AppError } from '../kernel/errors.ts';
import { changeableShape } from './server-entry.ts';
import type { z } from 'zod';

export type ServerChangesConfig = z.output<typeof changeableShape>;

const keys = Object.keys(changeableShape.shape) as (keyof ServerChangesConfig)[];

/** The settings, checked. Throws INVALID_INPUT naming the wrong one. */
export function parseServerChanges(given: unknown): ServerChangesConfig {
  const result = changeableShape.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys') throw notChangeable(issue.keys[0] ?? '');
  throw new AppError('INVALID_INPUT', {
    field: `set.${issue?.path.join('.') ?? ''}`,
    problem: issue?.message ?? 'is invalid',
  });
}

/** Names of settings, checked. Throws INVALID_INPUT naming a wrong one. */
export function parseChangeableKeys(names: readonly string[]): (keyof ServerChangesConfig)[] {
  return names.map((name) => {
    const key = keys.find((one) => one === name);
    if (key) return key;
    throw notChangeable(name);
  });
}

function notChangeable(name: string): AppError {
  return new AppError('INVALID_INPUT', {
    field: name,
    problem: `cannot be changed while the server runs; what can is ${keys.join(', ')}`,
  });
}
