import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, toPlainJson } from './canonical-json.ts';
import { blobId, decodeMemoryFile, encodeMemoryFile, kindOf, normalizeTags } from './memory-file.ts';

const text = fc.string({ unit: 'binary' });
const tags = fc
  .array(
    text.filter((tag) => tag.isWellFormed() && tag !== ''),
    { maxLength: 5 },
  )
  .map(normalizeTags);
const value = fc.oneof(
  text.filter((body) => body.isWellFormed()),
  fc.constantFrom('', '\n', '---\n', '---\nkey: "x"\n---\n', 'a\r\nb\r\n', 'a\r', '\ufeffbom', 'สวัสดี'),
  fc
    .json()
    .map((json) => JSON.parse(json) as unknown)
    .filter((data) => typeof data !== 'string'),
);

describe('memory files', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(
        text.filter((key) => key.isWellFormed()),
        tags,
        value,
        fc.option(fc.integer({ min: 0, max: 4e12 })),
        fc.record(
          {
            thread: text.filter((thread) => thread.isWellFormed()).map((thread) => thread.normalize('NFC')),
            sequence: fc.maxSafeInteger(),
          },
          { requiredKeys: [] },
        ),
        (key, tags, value, expiresMs, place) => {
          const file = { key, tags, value, ...(expiresMs !== null && { expiresMs }), ...place };
          expect(decodeMemoryFile(kindOf(value), encodeMemoryFile(file))).toEqual(file);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keep thread and place, also when a person wrote them, and pass over what is neither', () => {
    const decode = (head: string) => decodeMemoryFile('text', Buffer.from(`---\n${head}\n---\nx\n`));
    expect(decode("thread: 'talk'\nsequence: 3")).toMatchObject({ thread: 'talk', sequence: 3 });
    expect(decode('thread: [1]\nsequence: half')).toEqual({ tags: [], value: 'x' });
    expect(decode('sequence: 1.5')).toEqual({ tags: [], value: 'x' });
  });

  it('are canonical: the order of fields does not matter', () => {
    const one = encodeMemoryFile({ key: 'k', tags: [], value: { b: 1, a: { d: 2, c: [1, {}] } } });
    const other = encodeMemoryFile({ key: 'k', tags: [], value: { a: { c: [1, {}], d: 2 }, b: 1 } });
    expect(one).toEqual(other);
    expect(one.toString()).toBe(
      '{\n  "key": "k",\n  "value": {\n    "a": {\n      "c": [\n        1,\n        {}\n      ],\n      "d": 2\n    },\n    "b": 1\n  }\n}\n',
    );
  });

  it('have the blob id that Git gives them', () => {
    const bytes = encodeMemoryFile({ key: 'ก', tags: ['x'], value: 'ข้อความ' });
    const id = execFileSync('git', ['hash-object', '--stdin'], { input: bytes, encoding: 'utf8' }).trim();
    expect(blobId(bytes)).toBe(id);
  });

  it('read what a person wrote', () => {
    const read = (kind: 'json' | 'text', content: string) => decodeMemoryFile(kind, Buffer.from(content));
    expect(read('text', 'just text\n')).toEqual({ tags: [], value: 'just text' });
    expect(read('text', '---\ntags: [b, a]\ntitle: x\n---\nbody\n')).toEqual({
      tags: ['a', 'b'],
      value: 'body',
    });
    expect(read('text', '---\r\ntags: one\r\n---\r\nbody')).toEqual({ tags: ['one'], value: 'body' });
    expect(read('text', '---\n: : bad\n\t- x\n---\nbody')).toEqual({ tags: [], value: 'body' });
    expect(read('json', '{"any": 1}')).toEqual({ tags: [], value: { any: 1 } });
    expect(read('json', '{broken')).toEqual({ tags: [], value: '{broken' });
    expect(read('json', '{"key":"k","value":1,"more":2}')).toEqual({
      tags: [],
      value: { key: 'k', value: 1, more: 2 },
    });
  });
});

describe('canonicalJson', () => {
  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const data: unknown = JSON.parse(json);
        expect(JSON.parse(canonicalJson(data))).toEqual(data);
      }),
    );
  });

  it('keeps a field named __proto__', () => {
    const data: unknown = JSON.parse('{"__proto__": {"a": 1}}');
    expect(canonicalJson(data)).toContain('__proto__');
  });

  it('writes any value as a trip through JSON text would leave it', () => {
    const odd = [
      // oxlint-disable-next-line no-sparse-arrays
      [1, , 3],
      { toJSON: 1 },
      { at: new Date(0) },
      { gone: undefined, list: [undefined] },
      -0,
      Object.create(null) as object,
    ];
    for (const value of odd) {
      expect(JSON.parse(canonicalJson(toPlainJson(value)))).toEqual(JSON.parse(JSON.stringify(value)));
    }
    const values = [fc.string(), fc.integer(), fc.boolean(), fc.constantFrom(null, undefined, new Date(0))];
    fc.assert(
      fc.property(fc.object({ maxDepth: 4, values }), (value) => {
        expect(JSON.parse(canonicalJson(toPlainJson(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('refuses what is not JSON', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    let deep: unknown = 1;
    for (let i = 0; i < 300; i++) deep = [deep];
    for (const bad of [cycle, 1n, Number.NaN, { a: Infinity }, () => 1, deep]) {
      expect(() => toPlainJson(bad)).toThrowError(expect.objectContaining({ code: 'INVALID_INPUT' }));
    }
  });
});
