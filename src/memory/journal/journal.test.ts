import { appendFile, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/log.ts';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import type { WriteRecord } from '../write-record.ts';
import { createJournal } from './journal.ts';
import { decodeSegment, encodeRecords, segmentMagic } from './record-codec.ts';
import { recoverSegments } from './segment-files.ts';

function record(seq: number, text: string | null = `value ${seq}`): WriteRecord {
  const content = text === null ? null : new Uint8Array(Buffer.from(text));
  const about = { scope: 'shared', key: 'ก', path: 'p', removePaths: [], actor: 'a', agent: 'b', atMs: seq };
  return { seq, op: text === null ? 'delete' : 'store', etag: text === null ? null : 'e', content, ...about };
}

const plain = (records: readonly WriteRecord[]) =>
  records.map((one) => ({ ...one, content: one.content && Buffer.from(one.content).toString('hex') }));

describe('records', () => {
  it('come back up to the cut, wherever a segment is cut or flipped', () => {
    const text = fc.option(fc.string({ unit: 'binary', maxLength: 50 }));
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.boolean(),
        (texts, where, flips) => {
          const records = texts.map((one, i) => record(i + 1, one));
          const encoded = records.map((record) => encodeRecords([record]));
          const bytes = Buffer.concat([segmentMagic, ...encoded]);
          expect(encodeRecords(records).equals(Buffer.concat(encoded))).toBe(true);
          expect(plain(decodeSegment(bytes).records)).toEqual(plain(records));
          const at = segmentMagic.length + (where % (bytes.length - segmentMagic.length));
          const bad = flips ? Buffer.from(bytes) : bytes.subarray(0, at);
          if (flips) bad[at] = (bad[at] ?? 0) ^ 0x55;
          let whole = 0;
          for (let end = segmentMagic.length; whole < encoded.length; whole++) {
            end += encoded[whole]?.length ?? 0;
            if (end > at) break;
          }
          const read = decodeSegment(bad);
          expect(plain(read.records)).toEqual(plain(records.slice(0, whole)));
          expect(read.damaged).toBe(flips && whole < records.length - 1);
        },
      ),
    );
  });
});

describe('the journal', () => {
  it('acknowledges in order, over several segments, and recovers all of it', async () => {
    await using folder = await createTempFolder();
    const done: number[] = [];
    const options = {
      folder: folder.path,
      segments: [],
      maxSegmentBytes: 2000,
      onFailed: () => [],
      clock: systemClock,
    };
    await using journal = createJournal({
      ...options,
      onDurable: (records) => done.push(...records.map((one) => one.seq)),
    });
    for (let seq = 1; seq <= 60; seq++) {
      journal.append([record(seq)]);
      if (seq % 10 === 0) await vi.waitFor(() => expect(done).toHaveLength(seq));
    }
    await journal[Symbol.asyncDispose]();
    expect(done).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    const { records, segments } = await recoverSegments(folder.path, silentLogger);
    expect(plain(records)).toEqual(plain(done.map((seq) => record(seq))));
    expect(segments.length).toBeGreaterThan(1);
    await journal.release(segments[0]?.lastSeq ?? 0);
    expect((await recoverSegments(folder.path, silentLogger)).records[0]?.seq).toBe(
      (segments[0]?.lastSeq ?? 0) + 1,
    );
  });

  it('keeps a damaged segment aside, and forgets a torn one that holds nothing', async () => {
    await using folder = await createTempFolder();
    const first = join(folder.path, '0000000000000001.journal');
    const bytes = Buffer.concat([segmentMagic, encodeRecords([1, 2, 3].map((seq) => record(seq)))]);
    const second = segmentMagic.length + encodeRecords([record(1)]).length;
    bytes[second + 20] = (bytes[second + 20] ?? 0) ^ 1;
    await writeFile(first, bytes);
    await writeFile(join(folder.path, '0000000000000004.journal'), segmentMagic.subarray(0, 5));
    await writeFile(join(folder.path, 'notes.txt'), 'not ours');
    const { records } = await recoverSegments(folder.path, silentLogger);
    expect(records.map((one) => one.seq)).toEqual([1]);
    expect((await readdir(folder.path)).sort()).toEqual([
      '0000000000000001.journal',
      '0000000000000001.journal.damaged',
      'notes.txt',
    ]);
    expect((await readFile(first)).length).toBe(second);
    await appendFile(first, 'torn');
    expect((await recoverSegments(folder.path, silentLogger)).records).toHaveLength(1);
  });

  it('fails the group and all behind it, takes the half-written bytes back, and goes on', async () => {
    await using folder = await createTempFolder();
    let isBroken = true;
    const seen: string[] = [];
    await using journal = createJournal({
      folder: folder.path,
      segments: [],
      onDurable: (records) => seen.push(`durable ${records.map((one) => one.seq).join()}`),
      clock: systemClock,
      onFailed(records, error) {
        seen.push(`${error.code} ${records.map((one) => one.seq).join()}`);
        return [];
      },
      disk: {
        async write(handle, bytes, position) {
          await handle.write(bytes, 0, bytes.length, position);
        },
        sync(handle) {
          return isBroken
            ? Promise.reject(Object.assign(new Error('io'), { code: 'EIO' }))
            : handle.datasync();
        },
      },
    });
    journal.append([record(1)]);
    journal.append([record(2)]);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    isBroken = false;
    journal.append([record(3)]);
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    await journal[Symbol.asyncDispose]();
    expect(seen).toEqual(['STORAGE_FAILED 1,2', 'durable 3']);
    expect((await recoverSegments(folder.path, silentLogger)).records.map((one) => one.seq)).toEqual([3]);
  });
});
