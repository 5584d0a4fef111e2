import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { silentLogger } from '../../kernel/log.ts';
import { keylessCodec } from '../encryption/file-codec.ts';
import { keyPath } from '../files/key-path.ts';
import { blobId, encodeMemoryFile } from '../files/memory-file.ts';
import { openIndexReader } from '../index/index-reader.ts';
import { openMemoryIndex } from '../index/memory-index.ts';
import { parseQuery } from './query.ts';

const decoder = new TextDecoder();

test('a search and its hits are of one moment, and the next turn sees what is new', async () => {
  await using folder = await createTempFolder();
  const path = join(folder.path, 'index.db');
  using writer = openMemoryIndex(path, silentLogger);
  const put = (value: string, seq: number) =>
    writer.transaction(() => {
      const content = encodeMemoryFile({ key: 'a', tags: [], value });
      const place = { scope: 'shared', key: 'a', path: keyPath('shared', 'a', 'text') };
      writer.put({ ...place, etag: blobId(content), atMs: 1, actor: 'x', seq, content });
      writer.writeText(10);
    });
  put('a needle', 1);
  using reader = openIndexReader(path, keylessCodec, { perTurn: true });
  const find = () => reader.search.find(parseQuery('needle')!, { nowMs: 0 }, [], 10).rows;
  const [row] = find();
  put('replaced', 2);
  expect(find()).toEqual([row]);
  expect(decoder.decode(reader.search.memoryOf(row!.id)!.content)).toContain('needle');
  await nextTurn();
  expect(find()).toEqual([]);
  put('a needle again', 3);
  reader.refresh();
  expect(find()).toHaveLength(1);
});
