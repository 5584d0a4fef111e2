import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../files/canonical-json.ts';
import { keylessCodec } from '../encryption/file-codec.ts';
import { encodeMemoryFile, normalizeTags } from '../files/memory-file.ts';
import { mergeContent } from './merge-content.ts';
import { mergeCounter } from './merge-counter.ts';
import { mergeJson } from './merge-json.ts';
import { mergeList } from './merge-list.ts';
import { mergeMemoryFile } from './merge-memory-file.ts';
import { mergeOption } from './merge-option.ts';
import { mergeScalar } from './merge-scalar.ts';
import { mergeSet } from './merge-set.ts';
import { mergeText } from './merge-text.ts';
import type { Merge, MergeContext, Merged } from './merge-type.ts';

const plain: MergeContext = { newer: 'ours', isCount: false, isAppend: false };

function swapped(context: MergeContext): MergeContext {
  return { ...context, newer: context.newer === 'ours' ? 'theirs' : 'ours' };
}

/** Merged values in a form that compares: the order of fields and of conflicts does not count. */
function shown({ value, conflicts }: Merged<unknown>): unknown {
  const text = value === undefined ? 'nothing' : canonicalJson(value);
  return { text, conflicts: conflicts.map(({ kind, pointer }) => `${kind} ${pointer}`).toSorted() };
}

const words = fc.constantFrom('a', 'b', 'c', 'd');
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 0, -0, 1, 2, 'x', 'y'),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor', 'x/y~z'), tie('value'), {
      maxKeys: 4,
    }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
})).value;
const lines = fc.array(words, { maxLength: 8 }).map((all) => all.join('\n'));
const tags = fc.array(words, { maxLength: 4 }).map(normalizeTags);
const memory = fc.record(
  { tags, value: fc.oneof(lines, json), expiresMs: fc.constantFrom(1000, 2000, 3000) },
  { requiredKeys: ['tags', 'value'] },
);
const context = fc.record({
  newer: fc.constantFrom('ours' as const, 'theirs' as const),
  isAppend: fc.boolean(),
  isCount: fc.constant(false),
});

/** What every merge type promises. */
function holdsLaws<T>(merge: Merge<T>, values: fc.Arbitrary<T>): boolean {
  const normal = (value: T) => shown({ value, conflicts: [] });
  const bases = fc.option(values, { nil: undefined });
  fc.assert(
    fc.property(bases, values, values, context, (base, ours, theirs, about) => {
      const merged = shown(merge(base, ours, theirs, about));
      expect(shown(merge(base, theirs, ours, swapped(about)))).toEqual(merged);
      expect(shown(merge(base, ours, ours, about))).toEqual(normal(ours));
      expect(shown(merge(ours, ours, theirs, about))).toEqual(normal(theirs));
      expect(shown(merge(theirs, ours, theirs, about))).toEqual(normal(ours));
      const { value } = merge(base, ours, theirs, about);
      expect(shown(merge(value, value, value, about))).toEqual(normal(value));
    }),
    { numRuns: 500 },
  );
  return true;
}

/** Values without parts, by pointer. */
function leavesOf(value: unknown, path = ''): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) return new Map([[path, value]]);
  const fields = Object.entries(value);
  return new Map(
    fields.flatMap(([name, part]) => [
      ...leavesOf(part, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
    ]),
  );
}

describe('merge types', () => {
  it('give the same from both sides, and the other side for an unchanged one', () => {
    expect(holdsLaws(mergeScalar<unknown>(), json)).toBe(true);
    expect(holdsLaws(mergeOption(mergeJson), fc.option(json, { nil: undefined }))).toBe(true);
    expect(holdsLaws(mergeSet, tags)).toBe(true);
    expect(holdsLaws(mergeText, lines)).toBe(true);
    expect(holdsLaws(mergeList, fc.array(json, { maxLength: 6 }))).toBe(true);
    expect(holdsLaws(mergeJson, json)).toBe(true);
    expect(holdsLaws(mergeMemoryFile, memory)).toBe(true);
  });

  it('lose no field without a conflict that names it', () => {
    const noLists = json.filter((value) => !canonicalJson(value).includes('['));
    const objects = noLists.filter((value) => typeof value === 'object' && value !== null);
    fc.assert(
      fc.property(objects, objects, objects, context, (base, ours, theirs, about) => {
        const { value, conflicts } = mergeJson(base, ours, theirs, about);
        const [before, after] = [leavesOf(base), leavesOf(value)];
        const isNamed = (path: string) =>
          conflicts.some(
            ({ pointer }) => `${path}/`.startsWith(`${pointer}/`) || `${pointer}/`.startsWith(`${path}/`),
          );
        for (const leaves of [leavesOf(ours), leavesOf(theirs)]) {
          for (const path of new Set([...before.keys(), ...leaves.keys()])) {
            if (before.get(path) === leaves.get(path) || after.get(path) === leaves.get(path)) continue;
            expect(isNamed(path)).toBe(true);
          }
        }
      }),
    );
  });

  it('lose no line and no item that a side added', () => {
    const unique = (side: string) =>
      fc.array(
        fc.nat(99).map((n) => `${side}${n}`),
        { maxLength: 4 },
      );
    const edited = (base: readonly string[], added: readonly string[], at: number) =>
      base.toSpliced(at, 0, ...added);
    fc.assert(
      fc.property(
        fc.array(words, { maxLength: 6 }),
        unique('left'),
        unique('right'),
        fc.nat(6),
        fc.nat(6),
        (base, left, right, i, j) => {
          const [ours, theirs] = [edited(base, left, i), edited(base, right, j)];
          const list = mergeList(base, ours, theirs, plain);
          expect(list.conflicts).toEqual([]);
          for (const item of [...left, ...right]) expect(list.value).toContain(item);
          const text = mergeText(base.join('\n'), ours.join('\n'), theirs.join('\n'), plain);
          const kept = text.value.split('\n');
          for (const line of text.conflicts.length > 0 ? left : [...left, ...right])
            expect(kept).toContain(line);
        },
      ),
    );
  });

  it('merges changes of different lines, and takes the newer side of the same ones', () => {
    const base = '1\n2\n3\n4\n5';
    expect(mergeText(base, 'one\n2\n3\n4\n5', '1\n2\n3\n4\nfive\n', plain)).toEqual({
      value: 'one\n2\n3\n4\nfive\n',
      conflicts: [],
    });
    expect(mergeText(base, '1\nA\n3\n4\n5', '1\nB\n3\n4\nV', plain)).toEqual({
      value: '1\nA\n3\n4\nV',
      conflicts: [{ kind: 'text', pointer: '' }],
    });
    const append: MergeContext = { newer: 'ours', isCount: false, isAppend: true };
    expect(mergeText('log\n', 'log\nours', 'log\ntheirs', append)).toEqual({
      value: 'log\ntheirs\nours',
      conflicts: [],
    });
  });

  it('adds what increments added, and nothing else', () => {
    const count: MergeContext = { ...plain, isCount: true };
    const number = fc.integer({ min: -1000, max: 1000 });
    fc.assert(
      fc.property(number, number, number, (base, a, b) => {
        expect(mergeCounter(base, base + a, base + b, count)).toEqual({ value: base + a + b, conflicts: [] });
        const at = (n: number) => ({ list: [{ n }], name: 'x' });
        const merged = mergeJson(at(base), at(base + a), at(base + b), count);
        expect(shown(merged)).toEqual(shown({ value: at(base + a + b), conflicts: [] }));
      }),
    );
    expect(mergeJson({ price: 5 }, { price: 7 }, { price: 8 }, plain)).toEqual({
      value: { price: 7 },
      conflicts: [{ kind: 'value', pointer: '/price' }],
    });
    const most = Number.MAX_SAFE_INTEGER;
    expect(mergeCounter(0, most, most - 1, count)).toEqual({
      value: most,
      conflicts: [{ kind: 'value', pointer: '' }],
    });
  });
});

describe('the content of files', () => {
  const at = (path: string, content: string | Buffer) => ({ path, content: Buffer.from(content) });
  const ours = (value: unknown) => encodeMemoryFile({ key: 'k', tags: [], value });
  const subject = { memory: { scope: 'shared', key: 'k' }, codec: keylessCodec };

  it('keeps front matter that people wrote', () => {
    const page = (title: string, body: string) => `---\ntitle: ${title}\ntags: [a]\n---\n${body}\n`;
    const merged = mergeContent(
      subject,
      at('shared/k.md', page('One', 'a\nb\nc')),
      at('shared/k.md', page('Two', 'a\nb\nc')),
      at('shared/k.md', page('One', 'a\nb\nC')),
      plain,
    );
    expect(merged.content?.toString()).toBe(page('Two', 'a\nb\nC'));
    expect(merged.conflicts).toEqual([]);
  });

  it('never throws, and what it cannot read stays whole', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const odd = fc.oneof(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(Buffer.from(deep), Buffer.from('{"key":'), ours('text'), ours({ a: 1 })),
    );
    const path = fc.constantFrom('shared/k.md', 'shared/k.json');
    const file = fc.record({ path, content: odd });
    fc.assert(
      fc.property(fc.option(file, { nil: undefined }), file, file, context, (base, a, b, about) => {
        const merged = mergeContent(subject, base, a, b, about);
        const other = mergeContent(subject, base, b, a, swapped(about));
        expect(other).toEqual(merged);
        if (!merged.content) expect(merged.conflicts).not.toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
