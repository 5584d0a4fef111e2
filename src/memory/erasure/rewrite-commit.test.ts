import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeCommit } from '../git/commit-message.ts';
import type { WriteRecord } from '../write-record.ts';
import { encodeRaw, headersOf, parseRaw, withTree, withoutForgotten } from './rewrite-commit.ts';

const id = (digit: string) => digit.repeat(40);

function record(key: string, seq: number): WriteRecord {
  const about = { path: 'p', removePaths: [], etag: null, content: null, atMs: 0, actor: 'ann', agent: 'x' };
  return { seq, op: 'store', scope: 'shared', key, ...about };
}

test('a commit or tag comes together again as it was, whatever its bytes', () => {
  const line = fc.stringMatching(/^[^\n\0]{0,20}$/);
  fc.assert(
    fc.property(fc.array(line), fc.uint8Array(), fc.boolean(), (signature, message, isSigned) => {
      const signed = isSigned ? `gpgsig ${['-----BEGIN', ...signature, '-----END'].join('\n ')}\n` : '';
      const head = `tree ${id('a')}\nparent ${id('b')}\nauthor Ä <a@b> 1 +0000\n${signed}encoding x\n\n`;
      const bytes = Buffer.concat([Buffer.from(head, 'utf8'), message]);
      const raw = parseRaw(bytes);
      expect(encodeRaw(raw).equals(bytes)).toBe(true);
      expect(headersOf(raw, 'parent')).toEqual([id('b')]);
      expect(headersOf(raw, 'encoding')).toEqual(['x']);
      const made = parseRaw(encodeRaw(withTree(raw, id('c'), [id('d'), id('e')], 'm')));
      expect(headersOf(made, 'parent')).toEqual([id('d'), id('e')]);
      expect(headersOf(made, 'gpgsig')).toEqual([]);
      expect(headersOf(made, 'author')).toEqual(headersOf(raw, 'author'));
    }),
  );
});

test('only the trailers of what is forgotten go, in any script', () => {
  const keys = fc.uniqueArray(
    fc.constantFrom('a', 'กข/ค', 'x y', '%0a', 'Memory-Op', 'people/1', 'people/2'),
    {
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(keys, (all) => {
      const isForgotten = (_: string, key: string) => key.startsWith('people/');
      const records = all.map((key, i) => record(key, i + 1));
      const kept = records.filter(({ key }) => !isForgotten('', key));
      const commit = encodeCommit({ tree: id('a'), parent: null, records });
      const message = withoutForgotten(parseRaw(commit), isForgotten);
      const bodyOf = (text: string) => text.slice(text.indexOf('\n'));
      if (kept.length > 0) {
        const wanted = parseRaw(encodeCommit({ tree: id('a'), parent: null, records: kept })).message;
        expect(bodyOf(message)).toBe(bodyOf(wanted));
      } else expect(message).toMatch(/^forgotten\n/);
      expect(message).not.toContain('people/');
    }),
  );
});

test('what somebody else wrote stays, also when it looks like ours', () => {
  const text = `tree ${id('a')}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n\nMemory-Op: store\nMemory-Key: shared/a\n`;
  const raw = parseRaw(Buffer.from(text));
  expect(withoutForgotten(raw, () => true)).toBe(raw.message);
});
