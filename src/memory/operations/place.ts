/** Where a memory is, and who asks: what the inputs of most operations share. */

import type { MemoryCaller } from '../../kernel/memory/operations.ts';
import { normalizeKey } from '../files/key-path.ts';

export const defaultScope = 'shared';

export interface Place {
  readonly scope: string;
  /** Normalized. */
  readonly key: string;
}

/** The place that an input names; throws INVALID_INPUT for a key without a path. */
export function placeOf(input: { key: string; scope?: string | undefined }): Place {
  return { scope: input.scope ?? defaultScope, key: normalizeKey(input.key) };
}

/** What a change says about its caller. */
export function callerOf(caller: MemoryCaller) {
  return { actor: caller.actor, agent: caller.agent, requestId: caller.requestId };
}

/** ISO 8601 of milliseconds since the Unix epoch. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** What is there of a thread and a place in it. */
export function threadOf({
  thread,
  sequence,
}: {
  thread?: string | undefined;
  sequence?: number | undefined;
}) {
  return {
    ...(thread !== undefined && { thread: thread.normalize('NFC') }),
    ...(sequence !== undefined && { sequence }),
  };
}
