/**
 * One look at a database for all that is read in a turn of the event loop. A statement on its own takes and gives
 * back the locks of the write-ahead log, which costs more than finding a row.
 */

import type { DatabaseSync } from 'node:sqlite';

export interface ReadTurn {
  /** What is read from now on is of one moment, until the turn or `end`. */
  begin(): void;
  /** The next read sees what others have written meanwhile. */
  end(): void;
}

/** For the writer, whose transactions are its own. */
export const noReadTurn: ReadTurn = { begin() {}, end() {} };

/** Turns of a connection that only reads. */
export function createReadTurn(db: DatabaseSync): ReadTurn {
  let isOpen = false;

  function end(): void {
    if (!isOpen) return;
    isOpen = false;
    if (db.isOpen) db.exec('COMMIT');
  }

  return {
    begin() {
      if (isOpen) return;
      db.exec('BEGIN');
      isOpen = true;
      setImmediate(end);
    },
    end,
  };
}
