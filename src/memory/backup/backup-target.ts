/** Where backups go: one shape for a folder and for object storage. */

/** A stored file of a backup. */
export interface StoredFile {
  /** Slash-separated, from the target's root: `<backup id>/<file>`. */
  readonly name: string;
  readonly bytes: number;
}

export interface BackupTarget {
  /** How people know it; holds no secret. */
  readonly label: string;
  /** Keeps a file under its name, whole or not at all, durably; in place of one of that name. */
  put(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** The bytes of a file. Throws NOT_FOUND when there is none. */
  get(name: string): AsyncIterable<Uint8Array>;
  /** All files. */
  list(): Promise<StoredFile[]>;
  /** Takes files away; what is not there is no error. */
  remove(names: readonly string[]): Promise<void>;
  /** Takes away what an interrupted `put` left before `beforeMs` (since the Unix epoch). */
  sweep(beforeMs: number): Promise<void>;
}

/** Longest file that is read into memory at once: manifests and journals. */
export const maxSmallFileBytes = 512 * 1024 * 1024;

/** All bytes of a stream, at most `limitBytes`; more ends in a RangeError. */
export async function readAll(content: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new RangeError(`is longer than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
