/** Stores entries so that a second run finds nothing to do, and what someone else wrote is not lost. */

import { isDeepStrictEqual } from 'node:util';
import { isAppError, messageOf } from '../../../kernel/errors.ts';
import type { RestClient } from '../../rest-client.ts';
import { ProblemError } from '../../print-error.ts';
import { type MemoryEntry, type StoredMemory, tagSet } from '../formats/memory-entry.ts';
import { mapInOrder } from './map-in-order.ts';
import type { PlacedEntry } from './open-source.ts';
import { readMemory, requestsAtATime } from './read-memories.ts';

/** What to do with a key that has another value already. */
export type ExistingPolicy = 'overwrite' | 'skip' | 'fail';

/** What came of one entry. */
export type Outcome = 'created' | 'updated' | 'same' | 'skipped' | 'failed';

/** An entry with its outcome; `problem` says why it failed. */
export interface StoreResult {
  readonly key: string;
  readonly scope: string;
  readonly place: string;
  readonly outcome: Outcome;
  readonly problem?: string;
}

export interface StoreOptions {
  readonly existing: ExistingPolicy;
  /** Says what would happen and stores nothing. */
  readonly isDryRun: boolean;
  /** Wins over the scope of an entry; `shared` where neither has one. */
  readonly scope?: string | undefined;
  /** Goes before every key. */
  readonly prefix: string;
}

/** Others may write the key between a read and a write; then it is read again. */
const maxAttempts = 5;

function isSame(memory: StoredMemory, { value, tags, thread, sequence }: MemoryEntry): boolean {
  if (memory.thread !== thread?.normalize('NFC') || memory.sequence !== sequence) return false;
  // Over JSON, as the value goes to the coordinator: -0 becomes 0.
  const sent: unknown = JSON.parse(JSON.stringify(value));
  return isDeepStrictEqual(memory.value, sent) && isDeepStrictEqual(tagSet(memory.tags), tagSet(tags));
}

function isChanged(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.code === 'MEMORY_CHANGED';
}

/** Failures that the next entry would have too. */
function endsAll(error: unknown): boolean {
  if (isAppError(error)) return true;
  return !(error instanceof ProblemError) || error.problem.status === 429 || error.problem.status >= 500;
}

/** The scope and key that an entry is stored under. */
export function placeOfEntry(entry: MemoryEntry, { scope, prefix }: Pick<StoreOptions, 'scope' | 'prefix'>) {
  return { scope: scope ?? entry.scope ?? 'shared', key: prefix + entry.key };
}

/** Stores entries, several at a time. A refused one is a result; a coordinator that cannot go on throws. */
export function storeEntries(
  client: RestClient,
  entries: AsyncIterable<PlacedEntry>,
  options: StoreOptions,
): AsyncGenerator<StoreResult> {
  async function write(entry: MemoryEntry, ifMatch: string): Promise<void> {
    if (options.isDryRun) return;
    const { value, tags, thread, sequence } = entry;
    await client.call('memoryStore', {
      path: placeOfEntry(entry, options),
      body: { value, ifMatch, thread, sequence, ...(tags.length > 0 && { tags: [...tags] }) },
    });
  }

  async function storeOnce(entry: MemoryEntry): Promise<{ outcome: Outcome; problem?: string }> {
    const { scope, key } = placeOfEntry(entry, options);
    const memory = await readMemory(client, scope, key);
    if (!memory) {
      await write(entry, 'absent');
      return { outcome: 'created' };
    }
    if (isSame(memory, entry)) return { outcome: 'same' };
    if (options.existing === 'skip') return { outcome: 'skipped' };
    if (options.existing === 'fail') {
      return { outcome: 'failed', problem: 'has another value; use --overwrite or --skip-existing' };
    }
    await write(entry, memory.etag);
    return { outcome: 'updated' };
  }

  async function store({ entry, place }: PlacedEntry): Promise<StoreResult> {
    const where = { ...placeOfEntry(entry, options), place };
    for (let attempt = 1; ; attempt++) {
      try {
        return { ...where, ...(await storeOnce(entry)) };
      } catch (error) {
        if (isChanged(error) && attempt < maxAttempts) continue;
        if (endsAll(error)) throw error;
        return { ...where, outcome: 'failed', problem: messageOf(error) };
      }
    }
  }

  return mapInOrder(entries, requestsAtATime, store);
}
