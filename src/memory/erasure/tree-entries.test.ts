import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRepository } from '../../../test/fixtures/git-repository.ts';
import { encodeTree, folderMode, parseTree } from './tree-entries.ts';

test('a tree comes together again as it was, whatever its names', () => {
  const entry = fc.record({
    mode: fc.constantFrom('100644', '100755', '120000', '160000', folderMode),
    name: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes.map((byte) => byte || 1))),
    id: fc.uint8Array({ minLength: 20, maxLength: 20 }),
  });
  fc.assert(
    fc.property(fc.array(entry), (all) => {
      const entries = all.map(({ mode, name, id }) => ({
        mode,
        name: name.toString('latin1'),
        id: Buffer.from(id),
      }));
      const bytes = encodeTree(entries);
      expect(parseTree(bytes)).toEqual(entries);
      expect(encodeTree(parseTree(bytes)).equals(bytes)).toBe(true);
    }),
  );
});

test('a tree of Git is read as Git lists it', async () => {
  await using repository = await createRepository();
  const { git } = repository;
  const blob = (await git.run(['hash-object', '-w', '--stdin'], 'x')).toString('latin1').trim();
  const empty = (await git.run(['mktree'], '')).toString('latin1').trim();
  const rows = `100755 blob ${blob}\tกข.md\n100644 blob ${blob}\ta.json\n040000 tree ${empty}\ta\n`;
  const tree = (await git.run(['mktree'], rows)).toString('latin1').trim();
  const entries = parseTree(await git.run(['cat-file', 'tree', tree]));
  const listed = await git.run(['ls-tree', '-z', tree]);
  const lines = entries.map(({ mode, id, name }) => {
    const path = Buffer.from(name, 'latin1').toString('utf8');
    const type = mode === folderMode ? 'tree' : 'blob';
    return `${mode.padStart(6, '0')} ${type} ${id.toString('hex')}\t${path}\0`;
  });
  expect(lines.join('')).toBe(listed.toString('utf8'));
});
