/**
 * Vectors of memories, beside the full text: one signed byte a dimension and a scale. Nearness is asked of all
 * of them, from a copy in memory that is read at the first question and kept up by the stamps of the rows.
 */

import type { DatabaseSync } from 'node:sqlite';

/**
 * What is waiting is known by row id, so that many changes of one memory are one. Nothing is noted before the
 * first provider: `embedding_model` is empty then.
 */
export const vectorTables = `
  CREATE TABLE embedding_model (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, stamp INTEGER NOT NULL);
  CREATE TABLE embedding_queue (entry_id INTEGER PRIMARY KEY);
  CREATE TABLE vectors (
    entry_id INTEGER PRIMARY KEY, stamp INTEGER NOT NULL, scale REAL NOT NULL, vector BLOB NOT NULL
  );
  CREATE INDEX vectors_stamp ON vectors (stamp);
`;

/** What empties them; the model stays, and with it that changes are noted. */
export const clearVectors = 'DELETE FROM embedding_queue; DELETE FROM vectors;';

/** A memory and how near it is: the cosine, 1 for the same direction. */
export interface NearRow {
  readonly id: number;
  readonly similarity: number;
}

/** Notes what changes. */
export interface VectorWriter {
  changed(rowId: number): void;
  removed(rowId: number): void;
}

export interface VectorTable {
  /** Begins to note changes for a model; with another one than before all memories wait anew. */
  useModel(name: string): void;
  /** Row ids of memories whose vectors wait, oldest first. */
  waiting(limit: number): number[];
  /** Keeps the vector of a memory, or none, and takes it from those that wait. */
  put(id: number, vector: Float32Array | undefined): void;
  /** The nearest rows, best first; only of `among` when given. None for a vector of another length. */
  nearest(vector: Float32Array, limit: number, among?: ReadonlySet<number>): NearRow[];
}

/** Notes changes in a database. */
export function createVectorWriter(db: DatabaseSync): VectorWriter {
  const changed = db.prepare(
    'INSERT OR IGNORE INTO embedding_queue (entry_id) SELECT ? FROM embedding_model',
  );
  const removedVector = db.prepare('DELETE FROM vectors WHERE entry_id = ?');
  const removedWait = db.prepare('DELETE FROM embedding_queue WHERE entry_id = ?');
  return {
    changed(rowId) {
      changed.run(rowId);
    },
    removed(rowId) {
      removedVector.run(rowId);
      removedWait.run(rowId);
    },
  };
}

/** The vectors in a database. */
export function createVectorTable(db: DatabaseSync): VectorTable {
  const model = db.prepare('SELECT name, stamp FROM embedding_model');
  const setModel = db.prepare(
    `INSERT INTO embedding_model (id, name, stamp) VALUES (1, ?, 0)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, stamp = stamp + 1`,
  );
  const nextStamp = db.prepare('UPDATE embedding_model SET stamp = stamp + 1 RETURNING stamp');
  const waiting = db.prepare('SELECT entry_id AS id FROM embedding_queue ORDER BY entry_id LIMIT ?');
  const put = db.prepare(
    'INSERT OR REPLACE INTO vectors (entry_id, stamp, scale, vector) VALUES (?, ?, ?, ?)',
  );
  const remove = db.prepare('DELETE FROM vectors WHERE entry_id = ?');
  const done = db.prepare('DELETE FROM embedding_queue WHERE entry_id = ?');
  const since = db.prepare(
    'SELECT entry_id AS id, scale, vector FROM vectors WHERE stamp > ? AND stamp <= ?',
  );
  const present = db.prepare(
    'SELECT v.entry_id AS id FROM json_each(?) j CROSS JOIN vectors v ON v.entry_id = j.value',
  );
  let copy: { readonly model: string; readonly matrix: VectorMatrix; stamp: number } | undefined;

  /** The copy, with what was written since the last question. */
  function loaded(): VectorMatrix {
    const now = (model.get() as { name: string; stamp: number } | undefined) ?? { name: '', stamp: 0 };
    if (copy?.model !== now.name) copy = { model: now.name, matrix: createMatrix(), stamp: -1 };
    const rows = since.iterate(copy.stamp, now.stamp) as unknown as Iterable<VectorRow>;
    for (const { id, scale, vector } of rows) {
      const { buffer, byteOffset, length } = vector;
      copy.matrix.put(id, new Int8Array(buffer, byteOffset, length), scale);
    }
    copy.stamp = now.stamp;
    return copy.matrix;
  }

  return {
    useModel(name) {
      if ((model.get() as { name: string } | undefined)?.name === name) return;
      db.exec('BEGIN IMMEDIATE');
      db.exec('DELETE FROM vectors; INSERT OR IGNORE INTO embedding_queue SELECT id FROM entries;');
      setModel.run(name);
      db.exec('COMMIT');
    },
    waiting: (limit) => (waiting.all(limit) as unknown as { id: number }[]).map(({ id }) => id),
    put(id, vector) {
      if (vector) {
        const { bytes, scale } = quantize(vector);
        const { stamp } = nextStamp.get() as { stamp: number };
        put.run(id, stamp, scale, new Uint8Array(bytes.buffer));
      } else remove.run(id);
      done.run(id);
    },
    nearest(vector, limit, among) {
      const { bytes, scale } = quantize(vector);
      const near = loaded().nearest(bytes, scale, limit, among);
      // The copy still has what was deleted meanwhile.
      const ids = present.all(JSON.stringify(near.map(({ id }) => id))) as unknown as { id: number }[];
      const there = new Set(ids.map(({ id }) => id));
      return near.filter(({ id }) => there.has(id));
    },
  };
}

/** A vector of length 1, a signed byte a dimension: the cosine is off by less than a hundredth. */
function quantize(vector: Float32Array): { bytes: Int8Array; scale: number } {
  const length = Math.sqrt(vector.reduce((sum, part) => sum + part * part, 0)) || 1;
  const largest = vector.reduce((most, part) => Math.max(most, Math.abs(part)), 0) || 1;
  const bytes = Int8Array.from(vector, (part) => Math.round((part / largest) * 127));
  return { bytes, scale: largest / 127 / length };
}

interface VectorRow {
  readonly id: number;
  readonly scale: number;
  readonly vector: Uint8Array;
}

interface VectorMatrix {
  put(id: number, bytes: Int8Array, scale: number): void;
  nearest(bytes: Int8Array, scale: number, limit: number, among?: ReadonlySet<number>): NearRow[];
}

/** All vectors of the most recent length, one after the other. */
function createMatrix(): VectorMatrix {
  const slots = new Map<number, number>();
  let ids: number[] = [];
  let scales: number[] = [];
  let dimensions = 0;
  let cells = new Int8Array(0);

  return {
    put(id, bytes, scale) {
      if (bytes.length !== dimensions) {
        slots.clear();
        [ids, scales, dimensions, cells] = [[], [], bytes.length, new Int8Array(bytes.length * 256)];
      }
      const slot = slots.get(id) ?? ids.length;
      if ((slot + 1) * dimensions > cells.length) {
        const larger = new Int8Array(cells.length * 2);
        larger.set(cells);
        cells = larger;
      }
      slots.set(id, slot);
      ids[slot] = id;
      scales[slot] = scale;
      cells.set(bytes, slot * dimensions);
    },
    nearest(bytes, scale, limit, among) {
      if (bytes.length !== dimensions) return [];
      const scores = new Float64Array(ids.length);
      for (let slot = 0; slot < ids.length; slot++) {
        const id = ids[slot] ?? 0;
        scores[slot] =
          among && !among.has(id)
            ? Number.NEGATIVE_INFINITY
            : dot(cells, slot * dimensions, bytes) * scale * (scales[slot] ?? 0);
      }
      const least = scores.toSorted().at(-Math.min(limit, scores.length)) ?? 0;
      const near: NearRow[] = [];
      for (const [slot, similarity] of scores.entries()) {
        if (similarity >= least && similarity > 0) near.push({ id: ids[slot] ?? 0, similarity });
      }
      return near.sort((a, b) => b.similarity - a.similarity || b.id - a.id).slice(0, limit);
    },
  };
}

function dot(cells: Int8Array, offset: number, bytes: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += (cells[offset + i] as number) * (bytes[i] as number);
  return sum;
}
