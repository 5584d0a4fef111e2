/** Writes as they travel between threads: heads as data, file contents as one transferred buffer. */

import type { WriteRecord } from '../write-record.ts';

/** Records without their contents, and all contents one after another. */
export interface PackedBatch {
  readonly heads: readonly (Omit<WriteRecord, 'content'> & { readonly bytes: number | null })[];
  readonly contents: Uint8Array<ArrayBuffer>;
}

/** Copies a batch into a form that can be transferred to another thread. */
export function packBatch(records: readonly WriteRecord[]): PackedBatch {
  const total = records.reduce((sum, record) => sum + (record.content?.length ?? 0), 0);
  const contents = new Uint8Array(total);
  let at = 0;
  const heads = records.map(({ content, ...head }) => {
    if (content) contents.set(content, at);
    at += content?.length ?? 0;
    return { ...head, bytes: content?.length ?? null };
  });
  return { heads, contents };
}

/** The records of a packed batch; contents are views of its buffer. */
export function unpackBatch(batch: PackedBatch): WriteRecord[] {
  let at = 0;
  return batch.heads.map(({ bytes, ...head }) => {
    const start = at;
    at += bytes ?? 0;
    return { ...head, content: bytes === null ? null : batch.contents.subarray(start, at) };
  });
}
