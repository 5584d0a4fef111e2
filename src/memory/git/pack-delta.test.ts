import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTempFolder, runGit } from '../../../test/fixtures/memory-in-temp.ts';
import { type DeltaBase, createPackBuilder, objectId } from './pack-builder.ts';

/** What a tree's node knows without looking. */
function toBase(old: { id: Buffer; content: Buffer }, content: Buffer): DeltaBase {
  const most = Math.min(old.content.length, content.length);
  let head = 0;
  while (head < most && old.content[head] === content[head]) head += 1;
  let tail = 0;
  while (tail < most - head && old.content.at(-1 - tail) === content.at(-1 - tail)) tail += 1;
  return { id: old.id, size: old.content.length, head, tail };
}

it('makes packs whose deltas Git resolves, at any size and chain', async () => {
  await using folder = await createTempFolder();
  runGit(folder.path, 'init', '--quiet', '--bare');
  const size = fc.constantFrom(0, 1, 511, 600, 5000, 0x1_00_00, 0x1_00_01, 70_000);
  const piece = fc.record({ at: fc.nat(), cut: size, put: fc.uint8Array({ maxLength: 300 }) });
  fc.assert(
    fc.property(size, fc.array(piece, { minLength: 1, maxLength: 60 }), (start, edits) => {
      const pack = createPackBuilder();
      let content = Buffer.alloc(start, 'abcdefghij');
      let base: { id: Buffer; content: Buffer } | undefined;
      const ids = new Set<string>();
      for (const edit of [{ at: 0, cut: 0, put: new Uint8Array() }, ...edits]) {
        const at = edit.at % (content.length + 1);
        content = Buffer.concat([content.subarray(0, at), edit.put, content.subarray(at + edit.cut)]);
        const id = pack.add('blob', content, { base: base && toBase(base, content) });
        expect(id).toEqual(objectId('blob', content));
        ids.add(id.toString('hex'));
        base = { id, content };
      }
      const files = pack.finish();
      const stem = join(folder.path, 'objects/pack', `pack-${files.name}`);
      writeFileSync(`${stem}.pack`, files.pack);
      writeFileSync(`${stem}.idx`, files.index);
      const listed = runGit(folder.path, 'verify-pack', '-v', `${stem}.idx`).match(/^[0-9a-f]{40}/gm) ?? [];
      expect(new Set(listed)).toEqual(ids);
    }),
    { numRuns: 30 },
  );
});

it('keeps many versions of one big tree small', () => {
  const pack = createPackBuilder();
  let content: Buffer = Buffer.alloc(300_000, 'x');
  let base: { id: Buffer; content: Buffer } | undefined;
  for (let i = 0; i < 30; i++) {
    content = Buffer.from(content);
    content.writeUInt32LE(i, i * 1000);
    const id = pack.add('tree', content, { base: base && toBase(base, content) });
    base = { id, content };
  }
  expect(pack.bytes).toBeLessThan(5000);
});
