/** Tree objects as lists of entries, whatever their names and modes are (gitformat: `<mode> <name>\0<20 bytes>`). */

/** One entry of a folder. */
export interface TreeEntry {
  /** As Git wrote it, without a leading zero; `folderMode` for a folder. */
  readonly mode: string;
  /** Bytes of the name as Latin-1 characters. */
  readonly name: string;
  /** 20 bytes. */
  readonly id: Buffer;
}

/** Mode of a folder. */
export const folderMode = '40000';
const idBytes = 20;

/** The entries of a tree object, in its order. */
export function parseTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const end = content.indexOf(0, space);
    entries.push({
      mode: content.toString('latin1', at, space),
      name: content.toString('latin1', space + 1, end),
      id: content.subarray(end + 1, end + 1 + idBytes),
    });
    at = end + 1 + idBytes;
  }
  return entries;
}

/** The bytes of a tree object; the entries must be in the order of Git. */
export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`, 'latin1'), id]),
  );
}
