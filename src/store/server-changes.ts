/** Table `server_changes`: which server came, changed or went, when and why. The newest are kept. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface ServerChangeRow {
  /** ISO 8601. */
  readonly at: string;
  readonly action: string;
  readonly server: string;
  readonly source: string;
  readonly origin: string | null;
  readonly problem: string | null;
}

export interface ServerChanges {
  add(rows: readonly ServerChangeRow[]): Promise<void>;
  /** The newest first. */
  newest(limit: number): Promise<ServerChangeRow[]>;
}

const maxRows = 10_000;
/** A statement takes a bounded number of parameters. */
const rowsAtOnce = 500;

export function createServerChanges(db: Kysely<Tables>): ServerChanges {
  return {
    async add(rows) {
      for (let from = 0; from < rows.length; from += rowsAtOnce) {
        const written = await db
          .insertInto('server_changes')
          .values(rows.slice(from, from + rowsAtOnce))
          .returning('seq')
          .execute();
        const newest = written.at(-1)?.seq ?? 0;
        await db
          .deleteFrom('server_changes')
          .where('seq', '<=', newest - maxRows)
          .execute();
      }
    },
    newest: (limit) =>
      db
        .selectFrom('server_changes')
        .select(['at', 'action', 'server', 'source', 'origin', 'problem'])
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute(),
  };
}
