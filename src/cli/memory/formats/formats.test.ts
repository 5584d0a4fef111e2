import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeJsonFile,
  decodeMarkdown,
  encodeJsonFile,
  encodeMarkdown,
  obsidianTag,
} from './folder-file.ts';
import { createFolderNames, foldName, keyOfPath } from './folder-names.ts';
import { decodeJsonLine, encodeJsonLine } from './json-lines.ts';
import { graphKey } from '../../../kernel/memory/graph-key.ts';
import { createGraphReader, encodeEntity } from './knowledge-graph.ts';
import { tagSet } from './memory-entry.ts';

const hostileSegments = fc.constantFrom(
  'CON',
  'con.txt',
  'aux ',
  'nul',
  'LPT¹',
  'COM1.md',
  '.git',
  '.obsidian',
  'a.md',
  'a.JSON',
  'a',
  'A',
  'ß',
  'SS',
  'a.',
  ' a',
  'a ',
  '...',
  'C:\\Windows',
  '*?<>|"',
  '[[x]]#^',
  'é',
  'e\u0301',
  'โครงการ',
  'น้ำ',
  '💾',
  '\u202Egpj',
  'a\u0000b'.replace('\u0000', '\u0001'),
  'x'.repeat(300),
  'ไทย'.repeat(100),
  'a~0123456789ab',
);
const text = fc.string({ unit: 'grapheme', maxLength: 30 }).map((part) => part.toWellFormed());
const segment = fc
  .oneof(hostileSegments, text)
  .map((part) => part.replaceAll(/[/\0]/g, '-').normalize('NFC'))
  .filter((part) => part !== '' && part !== '.' && part !== '..');
const key = fc.array(segment, { minLength: 1, maxLength: 32 }).map((parts) => parts.join('/'));
const tags = fc.array(
  fc
    .oneof(text, fc.constantFrom('two words', '#x', '2026', 'a/b', 'งาน', 'true', '- a', '"', ' a', 'a'))
    .filter(Boolean),
  { maxLength: 6 },
);
const body = fc.oneof(
  text,
  fc.constantFrom(
    '',
    '\n',
    '---\n',
    '---\n---\n',
    '---\ntags: [a]\n---\nbody',
    '---\ntags: ["two words"]\nmemory-tags: ["two words"]\n---\n',
    '---\nmemory-key: other\n---\nbody',
    '---\ntitle: x\ntags: a, b\n---\n[[link]]\r\n',
    '---\r\ntitle: x\r\n---\r\n',
    '---\n: : [\n---\n',
    '---\na: &x 1\nb: *x\n---\n',
    '\uFEFF---\ntags: [a]\n---\n',
    '\uFEFFbom',
    'a\u2028b\u0085c',
  ),
);
/** Thread and place in it, both or one or none. */
const position = fc.record(
  {
    thread: fc.oneof(text, fc.constantFrom('true', '42', '- a', '"', 'งาน: 1', '# x')).filter(Boolean),
    sequence: fc.maxSafeInteger(),
  },
  { requiredKeys: [] },
);
const head = { updatedAt: '2026-01-01T00:00:00.000Z', actor: 'me', etag: 'e', commit: null, scope: 'shared' };

describe('folder names', () => {
  const isPortable = (name: string) =>
    !/[<>:"\\|?*\p{Cc}]|^[. ]|[. ]$/u.test(name) &&
    !/^(?:con|prn|aux|nul|com\d|lpt\d) *(?:\.|$)/i.test(name) &&
    Buffer.byteLength(name) <= 130;

  it('are distinct, portable and inside the folder, and the file says the key where the name does not', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(key, fc.boolean()), { selector: ([name]) => name }), (items) => {
        const names = createFolderNames();
        const seen = new Set<string>();
        const folders = new Set<string>();
        for (const [name, isText] of items) {
          const { path, isChanged } = names.nameOf(name, isText ? 'text' : 'json');
          expect(path.split('/').filter((part) => !isPortable(part))).toEqual([]);
          expect(Buffer.byteLength(path)).toBeLessThan(800);
          expect(isChanged || keyOfPath(path) === name).toBe(true);
          seen.add(foldName(path));
          for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
            folders.add(foldName(path.slice(0, at)));
          }
        }
        expect(seen.size).toBe(items.length);
        expect([...folders].filter((folder) => seen.has(folder))).toEqual([]);
      }),
    );
  });

  it('stay as people wrote them, in one spelling of a folder', () => {
    const names = createFolderNames();
    expect(names.nameOf('โครงการ/Apollo 11/น้ำ', 'text')).toEqual({
      path: 'โครงการ/Apollo 11/น้ำ.md',
      isChanged: false,
    });
    expect(names.nameOf('Notes/a', 'text')).toEqual({ path: 'Notes/a.md', isChanged: false });
    expect(names.nameOf('notes/b', 'text')).toEqual({ path: 'Notes/b.md', isChanged: true });
    expect(names.nameOf('notes/A', 'text').path).toMatch(/^Notes\/A~[0-9a-f]{12}\.md$/);
    expect(names.nameOf('what?', 'json')).toEqual({ path: 'what_.json', isChanged: true });
  });
});

describe('folder files', () => {
  it('give every text back with its key, tags and place in a thread', () => {
    fc.assert(
      fc.property(key, body, tags, position, (name, value, labels, place) => {
        const { path, isChanged } = createFolderNames().nameOf(name, 'text');
        const file = encodeMarkdown({ key: name, value, tags: labels, ...place }, isChanged);
        expect(decodeMarkdown(path, file)).toEqual({ key: name, value, tags: tagSet(labels), ...place });
      }),
      { numRuns: 500 },
    );
  });

  it('give every JSON value back', () => {
    fc.assert(
      fc.property(key, fc.jsonValue(), tags, position, (name, value, labels, place) => {
        const { path } = createFolderNames().nameOf(name, 'json');
        const sent: unknown = JSON.parse(JSON.stringify(value));
        const file = encodeJsonFile({ key: name, value, tags: labels, ...place });
        expect(decodeJsonFile(path, file, 'f')).toEqual({
          key: name,
          value: sent,
          tags: tagSet(labels),
          ...place,
        });
      }),
    );
  });

  it('are plain text when nothing needs front matter, and have tags for Obsidian when they need', () => {
    const plain = { key: 'a', value: '# Plain', tags: [] };
    expect(encodeMarkdown(plain, false)).toBe('# Plain');
    expect(encodeMarkdown({ ...plain, thread: 'chat 1', sequence: 2 }, false)).toBe(
      '---\nmemory-thread: "chat 1"\nmemory-sequence: 2\n---\n# Plain',
    );
    expect(encodeMarkdown({ key: 'a', value: 'x', tags: ['two words', 'งาน'] }, false)).toBe(
      '---\ntags:\n  - "two-words"\n  - "งาน"\nmemory-tags:\n  - "two words"\n  - "งาน"\n---\nx',
    );
    expect(obsidianTag('2026')).toBe('_2026');
  });

  it('read notes of a vault: tags in every form, other properties and links stay in the text', () => {
    const note = '---\ntitle: Rice\ntags: [food, "#thai", 2026]\n---\nSee [[Notes/Jasmine|rice]] #inline\n';
    expect(decodeMarkdown('Food/Rice.md', note)).toEqual({
      key: 'Food/Rice',
      tags: ['2026', 'food', 'thai'],
      value: note,
    });
    expect(decodeMarkdown('a.md', '---\r\ntags: x, y\r\n---\r\nbody')).toEqual({
      key: 'a',
      tags: ['x', 'y'],
      value: 'body',
    });
    const foreign = '---\nmemory-sequence: third\n---\nx';
    expect(decodeMarkdown('a.md', foreign)).toEqual({ key: 'a', tags: [], value: foreign });
    const edited = '---\ntags: [two-words, new]\nmemory-tags: [two words, dropped one]\n---\nx';
    expect(decodeMarkdown('a.md', edited).tags).toEqual(['new', 'two words']);
  });

  it('take JSON of any kind, and name the file that is none', () => {
    expect(decodeJsonFile('a.json', '{"key":"x","value":1,"other":2}', 'f')).toMatchObject({
      key: 'a',
      value: { key: 'x', value: 1, other: 2 },
    });
    const others = '{"key":"x","value":1,"thread":{"id":1}}';
    expect(decodeJsonFile('a.json', others, 'f')).toMatchObject({ key: 'a', value: { thread: { id: 1 } } });
    expect(() => decodeJsonFile('a.json', '{\n"a": }', 'v/a.json')).toThrow('v/a.json: is not JSON: ');
  });
});

describe('JSON Lines', () => {
  it('give every memory back, one line each', () => {
    fc.assert(
      fc.property(key, fc.oneof(body, fc.jsonValue()), tags, position, (name, value, labels, place) => {
        fc.pre(name.length <= 1024);
        const line = encodeJsonLine({ ...head, key: name, value, tags: labels, ...place });
        expect(line.indexOf('\n')).toBe(line.length - 1);
        const sent: unknown = JSON.parse(JSON.stringify(value));
        expect(decodeJsonLine(line, 'f:1')).toEqual({
          key: name,
          scope: 'shared',
          value: sent,
          tags: labels,
          ...place,
        });
      }),
    );
  });

  it.each([
    ['{', 'f.jsonl:7: is not JSON'],
    ['[]', 'f.jsonl:7: line: '],
    ['{"key":"","value":1}', 'f.jsonl:7: key: '],
    ['{"key":"a"}', 'f.jsonl:7: value: '],
    ['{"key":"a","value":1,"tags":"x"}', 'f.jsonl:7: tags: '],
    ['{"key":"a","value":1,"scope":"nowhere"}', 'f.jsonl:7: scope: '],
    ['{"key":"a","value":1,"thread":""}', 'f.jsonl:7: thread: '],
    ['{"key":"a","value":1,"sequence":1.5}', 'f.jsonl:7: sequence: '],
  ])('refuse %s', (line, words) => {
    expect(() => decodeJsonLine(line, 'f.jsonl:7')).toThrow(words);
  });
});

describe('the knowledge graph', () => {
  const name = fc.oneof(
    segment,
    text,
    fc.constantFrom('', '.', '..', 'C/C++', '100%', '\uD800', 'e\u0301', 'é'),
  );
  const entity = fc.record({ name, entityType: text, observations: fc.uniqueArray(text) });
  const relation = fc.record({ from: name, to: name, relationType: text });

  it('comes back with every entity and relation, whatever the names', () => {
    const graphs = fc.record({
      entities: fc.uniqueArray(entity, { selector: (item) => item.name }),
      relations: fc.uniqueArray(relation, { selector: (item) => JSON.stringify(item) }),
    });
    fc.assert(
      fc.property(graphs, ({ entities, relations }) => {
        const reader = createGraphReader();
        const lines = [
          ...relations.map((item) => JSON.stringify({ type: 'relation', ...item })),
          ...entities.map((item) => JSON.stringify({ type: 'entity', ...item })),
        ];
        for (const line of lines) reader.add(line, 'f:1');
        const entries = reader.entries('graph/entities/');
        expect(new Set(entries.map((entry) => entry.key.normalize('NFC'))).size).toBe(entries.length);
        const back = entries.flatMap(({ value }) => {
          const encoded = encodeEntity(value);
          return encoded ? [...(encoded.entity ? [encoded.entity] : []), ...encoded.relations] : [];
        });
        const parsed = (all: string[]) => all.map((line) => JSON.stringify(sorted(JSON.parse(line)))).sort();
        expect(parsed(back)).toEqual(parsed(lines));
      }),
    );
  });

  const sorted = (value: unknown) =>
    Object.fromEntries(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)));

  it('makes a key of any name', () => {
    expect(graphKey('สมชาย')).toBe('สมชาย');
    expect(graphKey('C/C++')).toBe('C%2fC++');
    expect(graphKey('..')).toMatch(/^\.\.~[0-9a-f]{16}$/);
    expect(graphKey('x'.repeat(5000)).length).toBeLessThan(400);
    expect(graphKey('e\u0301')).not.toBe(graphKey('é'));
  });

  it('takes lines for one entity together and names a bad line', () => {
    const reader = createGraphReader();
    for (const observations of [['a'], ['a', 'b']]) {
      reader.add(JSON.stringify({ type: 'entity', name: 'x', entityType: 't', observations }), 'f:1');
    }
    expect(reader.entries('')).toEqual([
      { key: 'x', tags: [], value: { name: 'x', entityType: 't', observations: ['a', 'b'], relations: [] } },
    ]);
    expect(() => reader.add('{"type":"entity","name":1}', 'memory.jsonl:4')).toThrow(
      'memory.jsonl:4: is no entity or relation: name: ',
    );
  });
});
