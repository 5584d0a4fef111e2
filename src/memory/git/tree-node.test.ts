import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { objectId } from './pack-builder.ts';
import { TreeNode } from './tree-node.ts';

/** The same tree, made the slow way. */
function contentOf(model: ReadonlyMap<string, Buffer>): Buffer {
  const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = sorted.flatMap(([name, id]) => [
    Buffer.from(`${name.endsWith('/') ? '40000' : '100644'} ${name.replace(/\/$/, '')}\0`, 'latin1'),
    id,
  ]);
  return Buffer.concat(entries);
}

const name = fc.tuple(
  fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', '.', '-', 'é') }),
  fc.boolean(),
);
const edit = fc.record({ name, isGone: fc.boolean() });

test('is the tree that its edits make, and knows what its versions share', () => {
  fc.assert(
    fc.property(fc.array(fc.array(edit, { maxLength: 12 }), { maxLength: 8 }), (versions) => {
      const model = new Map<string, Buffer>();
      let node = new TreeNode();
      let before: Buffer | undefined;
      for (const [i, edits] of versions.entries()) {
        for (const one of edits) {
          const entry = one.name[0] + (one.name[1] ? '/' : '');
          if (one.isGone) {
            expect(node.remove(entry)).toBe(model.delete(entry));
            continue;
          }
          const id = randomBytes(20);
          model.set(entry, id);
          node.put(entry, id);
          expect(node.idOf(entry)).toEqual(id);
        }
        const expected = contentOf(model);
        const old = before;
        node.write((id, content, base) => {
          expect(content.equals(expected)).toBe(true);
          expect(id).toEqual(objectId('tree', expected));
          expect(base?.size).toBe(old?.length);
          if (!base || !old) return;
          expect(base.head + base.tail).toBeLessThanOrEqual(Math.min(old.length, content.length));
          expect(old.subarray(0, base.head)).toEqual(content.subarray(0, base.head));
          expect(old.subarray(old.length - base.tail)).toEqual(content.subarray(content.length - base.tail));
        });
        before = expected;
        // A folder that is read again goes on in the same way.
        if (i % 3 === 2) node = new TreeNode({ id: objectId('tree', expected), bytes: expected });
        expect(node.size).toBe(model.size);
      }
    }),
  );
});
