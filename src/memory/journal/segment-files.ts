/** The journal's files: `<first seq>.journal` in one folder, oldest first. */

import {
  type FileHandle,
  copyFile,
  mkdir,
  open,
  readFile,
  readdir,
  truncate,
  unlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../kernel/log.ts';
import type { WriteRecord } from '../write-record.ts';
import { decodeSegment, segmentMagic } from './record-codec.ts';

/** A finished segment that waits for its writes to be in Git. */
export interface Segment {
  readonly path: string;
  readonly lastSeq: number;
}

/** Makes changes of a folder's entries durable; Windows has no such call and does it by itself. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes an empty segment whose name and first bytes are durable. */
export async function createSegment(
  folder: string,
  firstSeq: number,
): Promise<{ path: string; handle: FileHandle }> {
  const path = join(folder, `${String(firstSeq).padStart(16, '0')}.journal`);
  const handle = await open(path, 'wx');
  try {
    await handle.write(segmentMagic, 0, segmentMagic.length, 0);
    await handle.sync();
    await syncFolder(folder);
  } catch (error) {
    await handle.close();
    await unlink(path).catch(() => {});
    throw error;
  }
  return { path, handle };
}

/**
 * Reads what a former run left: records in order, each segment with its last sequence. Torn tails are cut
 * off; a segment that is damaged in its middle is kept as `*.damaged` for a person to look at.
 */
export async function recoverSegments(
  folder: string,
  logger: Logger,
): Promise<{ records: WriteRecord[]; segments: Segment[] }> {
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder)).filter((name) => /^\d{16}\.journal$/.test(name)).sort();
  const records: WriteRecord[] = [];
  const segments: Segment[] = [];
  let lastSeq = 0;
  for (const name of names) {
    const path = join(folder, name);
    const bytes = await readFile(path);
    const content = decodeSegment(bytes);
    if (content.damaged) {
      await copyFile(path, `${path}.damaged`);
      logger.error({ path, goodBytes: content.goodBytes, bytes: bytes.length }, 'journal segment is damaged');
    } else if (content.goodBytes < bytes.length) {
      logger.warn({ path, tornBytes: bytes.length - content.goodBytes }, 'journal segment has a torn tail');
    }
    if (content.records.length === 0) {
      await unlink(path);
      continue;
    }
    if (content.goodBytes < bytes.length) await truncate(path, content.goodBytes);
    for (const record of content.records) {
      if (record.seq <= lastSeq) continue;
      lastSeq = record.seq;
      records.push(record);
    }
    segments.push({ path, lastSeq });
  }
  return { records, segments };
}
