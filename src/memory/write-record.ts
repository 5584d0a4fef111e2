/** One acknowledged change of the memory, as it goes through journal, index and Git. */

const writeOps = ['store', 'delete', 'restore', 'append', 'increment', 'resolve', 'merge'] as const;
export type WriteOp = (typeof writeOps)[number];

/** True for the name of an operation that a commit may tell of. */
export function isWriteOp(name: unknown): name is WriteOp {
  return writeOps.some((op) => op === name);
}

export interface WriteRecord {
  /** Position in the journal; grows by one a write, with gaps where a write failed. */
  readonly seq: number;
  readonly op: WriteOp;
  readonly scope: string;
  /** In NFC. */
  readonly key: string;
  /** File that holds the value; for a deletion the file that held it. */
  readonly path: string;
  /** Files that this write takes away: the same key under another ending or name. */
  readonly removePaths: readonly string[];
  /** Null for a deletion. */
  readonly etag: string | null;
  /** The file's bytes; null for a deletion. */
  readonly content: Uint8Array | null;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly actor: string;
  readonly agent: string;
  readonly requestId?: string;
  /** Names the run that accepted the write (see `createWritePath`); absent in journals from before there was one. */
  readonly replica?: string;
  /** Sequence of the last write of an atomic batch; all from the first with this number on count, or none. */
  readonly batchEnd?: number;
}

/** Names one memory in maps; neither a scope nor a key holds a NUL. */
export function memoryId(scope: string, key: string): string {
  return `${scope}\0${key}`;
}
