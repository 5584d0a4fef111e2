/**
 * Links between memories, kept beside their current values. A wikilink may name only the end of a key, as people
 * write them in Obsidian, so a link is found again by the last part of the key that it names.
 */

import type { DatabaseSync } from 'node:sqlite';
import type { MemoryFile } from '../files/memory-file.ts';
import { type Link, type LinkKind, linksOf } from './links-of.ts';

/** `links` has a row a link, `link_names` the last part of each key. */
export const linkTables = `
  CREATE TABLE links (
    from_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (from_id, number)
  ) WITHOUT ROWID;
  CREATE INDEX links_to ON links (scope, name, key);
  CREATE TABLE link_names (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, name TEXT NOT NULL);
  CREATE INDEX link_names_name ON link_names (scope, name);
`;

interface Place {
  readonly scope: string;
  readonly key: string;
}

export interface LinkWriter {
  /** Keeps the links of a memory under its row id, in place of what was there. */
  put(
    rowId: number,
    place: Place,
    file: MemoryFile,
    about: { readonly content: Uint8Array; readonly isNew: boolean },
  ): void;
  remove(rowId: number): void;
}

export interface LinkTable {
  /** True when there is a memory, expired or not. */
  has(place: Place): boolean;
  /** Links of a memory as they are written. */
  from(place: Place, limit: number): Link[];
  /** Links that name a memory or its end, with where they are; the reader decides which of the latter mean it. */
  to(place: Place, limit: number): (Link & { readonly from: Place })[];
  /** The memories of a scope whose keys are or end in `/<end>`, in any case; shortest first. */
  endingIn(scope: string, end: string, limit: number): string[];
}

/** The last part of a key, as links and keys are matched: case does not count. */
function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1).toLowerCase();
}

/** Most JSON has neither; the bytes are searched faster than the value is walked. */
function mayHaveLinks(file: MemoryFile, content: Uint8Array): boolean {
  if (typeof file.value === 'string') return true;
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  return bytes.includes('memory:') || bytes.includes('"relations"') || bytes.includes('MEMORY:');
}

/** Writes into the link tables of a database. */
export function createLinkWriter(db: DatabaseSync): LinkWriter {
  const clear = db.prepare('DELETE FROM links WHERE from_id = ?');
  const add = db.prepare('INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?)');
  const addName = db.prepare('INSERT OR IGNORE INTO link_names VALUES (?, ?, ?)');
  const removeName = db.prepare('DELETE FROM link_names WHERE id = ?');
  return {
    put(rowId, place, file, { content, isNew }) {
      const { scope, key } = place;
      if (isNew) addName.run(rowId, scope, nameOf(key));
      else clear.run(rowId);
      if (!mayHaveLinks(file, content)) return;
      for (const [number, link] of linksOf(place, file.value).entries())
        add.run(rowId, number, link.scope, nameOf(link.key), link.key, link.kind, link.label);
    },
    remove(rowId) {
      clear.run(rowId);
      removeName.run(rowId);
    },
  };
}

interface Row {
  readonly scope: string;
  readonly key: string;
  readonly kind: LinkKind;
  readonly label: string;
  readonly from_scope: string;
  readonly from_key: string;
}

/** Reads the link tables of an index. */
export function createLinkTable(db: DatabaseSync): LinkTable {
  const from = db.prepare(
    `SELECT l.scope, l.key, l.kind, l.label FROM entries e JOIN links l ON l.from_id = e.id
     WHERE e.scope = ? AND e.key = ? ORDER BY l.number LIMIT ?`,
  );
  const columns = 'l.scope, l.key, l.kind, l.label, e.scope AS from_scope, e.key AS from_key';
  const to = db.prepare(
    `SELECT ${columns} FROM links l JOIN entries e ON e.id = l.from_id
     WHERE l.scope = ? AND l.name = ? AND (l.key = ? OR l.kind = 'wikilink')
     ORDER BY e.scope, e.key, l.number LIMIT ?`,
  );
  const named = db.prepare(
    `SELECT e.key FROM link_names n JOIN entries e ON e.id = n.id
     WHERE n.scope = ? AND n.name = ? ORDER BY length(e.key), e.key LIMIT ?`,
  );
  const has = db.prepare('SELECT 1 FROM entries WHERE scope = ? AND key = ?');
  return {
    has: ({ scope, key }) => has.get(scope, key) !== undefined,
    from: (place, limit) => from.all(place.scope, place.key, limit) as unknown as Link[],
    to({ scope, key }, limit) {
      const rows = to.all(scope, nameOf(key), key, limit) as unknown as Row[];
      return rows.map(({ from_scope: fromScope, from_key: fromKey, ...link }) => ({
        ...link,
        from: { scope: fromScope, key: fromKey },
      }));
    },
    endingIn(scope, end, limit) {
      const wanted = `/${end.toLowerCase()}`;
      const rows = named.all(scope, nameOf(end), limit) as unknown as { key: string }[];
      return rows.map(({ key }) => key).filter((key) => `/${key.toLowerCase()}`.endsWith(wanted));
    },
  };
}
