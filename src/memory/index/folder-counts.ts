/** Counts the files of each folder along with the rows, so that a new file knows how deep it goes. */

import type { DatabaseSync } from 'node:sqlite';
import { flatFolder } from '../files/key-path.ts';

export interface FolderCounts {
  /** A row was put; ids grow, so a new one tells a new file. */
  put(rowId: number, path: string): void;
  remove(path: string): void;
  /** Writes what changed, at the end of a transaction. */
  write(): void;
  /** The transaction was given up. */
  forget(): void;
}

/** Its count is that of all memories. */
const wholeIndex = '';

/** Counts for the writer of a database. */
export function createFolderCounts(db: DatabaseSync): FolderCounts {
  const add = db.prepare(
    `INSERT INTO folders (path, files) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET files = files + excluded.files`,
  );
  const highest = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'entries'");
  const readHighest = () => (highest.get() as { seq: number } | undefined)?.seq ?? 0;
  const changes = new Map<string, number>();
  let highestId = readHighest();

  function change(path: string, by: number): void {
    const folder = flatFolder(path);
    for (const one of [folder, wholeIndex]) changes.set(one, (changes.get(one) ?? 0) + by);
  }

  return {
    put(rowId, path) {
      if (rowId <= highestId) return;
      highestId = rowId;
      change(path, 1);
    },
    remove: (path) => change(path, -1),
    write() {
      for (const [folder, by] of changes) add.run(folder, by);
      changes.clear();
    },
    forget() {
      changes.clear();
      highestId = readHighest();
    },
  };
}
