/** Which writes of a flush share a commit. */

import { type WriteRecord, memoryId } from '../write-record.ts';

/** Writes of one flush, by how much pressure they are. */
const upTo = { commitPerWrite: 256, commitPerActor: 1024 };

/**
 * A commit a write while the batch is small; under pressure up to `most` writes of one actor share one, and under
 * more those of several actors, who are then its co-authors. Never two of the same key, so that every version
 * stays in the history. The order of one key's writes is kept. An atomic batch is one commit, and nothing else
 * is in it.
 */
export function groupWrites(records: readonly WriteRecord[], most: number): WriteRecord[][] {
  const limit = records.length <= upTo.commitPerWrite ? 1 : most;
  const mayMix = records.length > upTo.commitPerActor;
  const groups: WriteRecord[][] = [];
  const openGroups = new Map<string, number>();
  const lastGroups = new Map<string, number>();
  let batchEnd: number | undefined;

  /** An atomic batch is one commit of its own. */
  function addToBatch(record: WriteRecord): void {
    if (record.batchEnd === batchEnd) groups.at(-1)?.push(record);
    else groups.push([record]);
    batchEnd = record.batchEnd;
    lastGroups.set(memoryId(record.scope, record.key), groups.length - 1);
  }

  for (const record of records) {
    if (record.batchEnd !== undefined) {
      addToBatch(record);
      continue;
    }
    const who = mayMix ? '' : `${record.actor}\0${record.agent}`;
    const id = memoryId(record.scope, record.key);
    let at = openGroups.get(who) ?? -1;
    const group = groups[at];
    if (group && at > (lastGroups.get(id) ?? -1) && group.length < limit) group.push(record);
    else at = groups.push([record]) - 1;
    openGroups.set(who, at);
    lastGroups.set(id, at);
  }
  return groups;
}
