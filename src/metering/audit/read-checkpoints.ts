/** Checkpoints and public keys as the Git memory has them; anybody who may write there may have written them. */

import { z } from 'zod';
import { isAppError } from '../../kernel/errors.ts';
import type { MemoryClient } from '../../kernel/memory/operations.ts';
import { recordScope as scope } from '../../kernel/memory/record-keys.ts';
import { checkpointFolder, publicKeyFolder } from './checkpointer.ts';

export const checkpointShape = z.object({
  tenant: z.string(),
  seq: z.int().min(1),
  at: z.string(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  keyId: z.string(),
  signature: z.string(),
});
export const publicKeyShape = z.object({ publicKey: z.string() });

/** What there is to hold against a chain. */
export interface KeptCheckpoints {
  readonly checkpoints: readonly z.output<typeof checkpointShape>[];
  /** PEM. */
  readonly publicKeys: readonly string[];
  /** True where some could not be read, as they are encrypted. */
  readonly isPartial: boolean;
}

const caller = { actor: 'audit', agent: 'coordinator' };
const pageSize = 1000;

async function valuesUnder(memory: Pick<MemoryClient, 'call'>, folder: string): Promise<unknown[]> {
  const values: unknown[] = [];
  let cursor: string | undefined;
  do {
    const query = { scope, prefix: `${folder}/`, limit: pageSize, ...(cursor !== undefined && { cursor }) };
    const page = await memory.call('list', query, caller);
    for (const { key } of page.items) {
      try {
        values.push((await memory.call('retrieve', { scope, key }, caller)).value);
      } catch (error) {
        // Deleted since it was listed.
        if (!isAppError(error, 'MEMORY_NOT_FOUND')) throw error;
      }
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return values;
}

/** Values of a memory or of its files; what has another form is no checkpoint of ours. */
export function checkpointsAmong(values: readonly unknown[], tenant: string): KeptCheckpoints {
  const found = values.map((value) => checkpointShape.safeParse(value).data);
  const keys = values.map((value) => publicKeyShape.safeParse(value).data);
  return {
    checkpoints: found.filter((one) => one !== undefined).filter((one) => one.tenant === tenant),
    publicKeys: keys.filter((one) => one !== undefined).map(({ publicKey }) => publicKey),
    isPartial: values.some((value) => typeof value === 'string'),
  };
}

export async function readCheckpoints(
  memory: Pick<MemoryClient, 'call'>,
  tenant: string,
): Promise<KeptCheckpoints> {
  const checkpoints = await valuesUnder(memory, checkpointFolder(tenant));
  const keys = await valuesUnder(memory, publicKeyFolder);
  return checkpointsAmong([...checkpoints, ...keys], tenant);
}
