/** Counts the files of each folder along with the rows, so that a new file knows how deep it goes. */

import type { DatabaseSync } from 'node:sqlite';
import { flatFolder } from '../files/key-path.ts';

export interface FolderCounts {
  added(path: string): void;
  removed(path: string): void;
  /** Writes what changed, at the end of a transaction. */
  write(): void;
  /** The transaction was given up. */
  forget(): void;
}

/** Counts for the writer of a database. */
export function createFolderCounts(db: DatabaseSync): FolderCounts {
  const add = db.prepare(
    `INSERT INTO folders (path, files) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET files = files + excluded.files`,
  );
  const changes = new Map<string, number>();

  function change(path: string, by: number): void {
    const folder = flatFolder(path);
    changes.set(folder, (changes.get(folder) ?? 0) + by);
  }

  return {
    added: (path) => change(path, 1),
    removed: (path) => change(path, -1),
    write() {
      for (const [folder, by] of changes) add.run(folder, by);
      changes.clear();
    },
    forget: () => changes.clear(),
  };
}
