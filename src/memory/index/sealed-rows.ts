/** Which entries are or were sealed, in the order of their changes. */

import type { DatabaseSync } from 'node:sqlite';

/** Counts the changes of sealed entries in a database. */
export function createSealedRows(db: DatabaseSync) {
  const add = db.prepare('INSERT OR REPLACE INTO sealed (entry_id) VALUES (?)');
  const has = db.prepare('SELECT 1 FROM sealed WHERE entry_id = ?');
  const all = db.prepare('SELECT entry_id FROM sealed ORDER BY change');
  let hasAny = all.get() !== undefined;
  return {
    changed(id: number, isSealed: boolean): void {
      if (!isSealed && (!hasAny || has.get(id) === undefined)) return;
      hasAny = true;
      add.run(id);
    },
    /** After all entries were deleted; true when some were sealed, and their ids must not come again. */
    clear(): boolean {
      for (const { entry_id: id } of all.all() as unknown as { entry_id: number }[]) add.run(id);
      return hasAny;
    },
  };
}
