import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linksOf } from './links-of.ts';
import { parseTextLinks } from './parse-text-links.ts';

const from = { scope: 'shared', key: 'notes/today' };
const places = (value: unknown, at = from) =>
  linksOf(at, value).map(({ scope, key, kind, label }) => [kind, `${scope}/${key}`, label]);

describe('links in text', () => {
  it.each([
    ['[[projects/apollo]]', ['wikilink', 'shared/projects/apollo', '']],
    ['see [[projects/apollo|the plan]].', ['wikilink', 'shared/projects/apollo', 'the plan']],
    ['[[แผนงาน#หัวข้อ]]', ['wikilink', 'shared/แผนงาน', '']],
    ['![[picture-of.md]]', ['wikilink', 'shared/picture-of', '']],
    ['[[category:database/tables]]', ['wikilink', 'category:database/tables', '']],
    ['[[coordinator/state]]', ['wikilink', 'coordinator/state', '']],
    ['[[memory://server:a-1/x%20y]]', ['wikilink', 'server:a-1/x y', '']],
    ['[a](memory://shared/x/y)', ['markdown', 'shared/x/y', 'a']],
    ['<memory://shared/x>', ['markdown', 'shared/x', '']],
    ['[a](other.md)', ['markdown', 'shared/notes/other', 'a']],
    ['[a](../b%20c.md#part "title")', ['markdown', 'shared/b c', 'a']],
    ['[a](</top level.json>)', ['markdown', 'shared/top level', 'a']],
    ['[a](film_(1999).md)', ['markdown', 'shared/notes/film_(1999)', 'a']],
    ['[![img](x.png)](b.md)', ['markdown', 'shared/notes/b', '']],
    ['[ref]: memory://shared/r', ['markdown', 'shared/r', 'ref']],
    ['- item\n\n    [[in/a/list]]', ['wikilink', 'shared/in/a/list', '']],
    ['a `code` and [[x]] and `y`', ['wikilink', 'shared/x', '']],
    ['one ` alone [[x]]', ['wikilink', 'shared/x', '']],
  ])('%j', (text, expected) => {
    expect(places(text)).toEqual([expected]);
  });

  it.each([
    '`[[x]]`',
    '``a ` [[x]]``',
    '```\n[[x]]\n```',
    '~~~md\n[[x]]\n```\n[[y]]\n~~~',
    '> ```\n> [[x]]\n> ```',
    'text\n\n    [[x]]\n',
    '```\n[[never closed]]',
    String.raw`\[[x]]`,
    '[a](https://example.org/x.md)',
    '[a](//example.org/x.md)',
    '[a](mailto:x@example.org)',
    '[a](image.png)',
    '[a](../../../outside.md)',
    '[a](%E0%A4.md)',
    '[[]]',
    '[[#only a heading]]',
    '[[a\nb]]',
    '[a](memory://elsewhere/x)',
  ])('no link in %j', (text) => {
    expect(places(text)).toEqual([]);
  });

  it('names each link once', () => {
    expect(places('[[a]] [[a]] [[a|other]] [x](/a.md)')).toEqual([
      ['wikilink', 'shared/a', ''],
      ['wikilink', 'shared/a', 'other'],
      ['markdown', 'shared/a', 'x'],
    ]);
  });

  const piece = fc.constantFrom(
    '[[',
    ']]',
    '[',
    ']',
    '(',
    ')',
    '<',
    '>',
    '`',
    '```',
    '~~~',
    '\\',
    '|',
    '\n',
    '    ',
    'a',
    '.md',
    'memory://',
    '"',
    "'",
    ' ',
    '# ',
    '../',
    '%',
    'ก',
    '💡',
    '\ud800',
  );

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        for (const link of linksOf(from, pieces.join(''))) expect(link.key).not.toBe('');
      }),
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void linksOf(from, text)));
  });

  it('reads back what it is given, beside any text without brackets', () => {
    const words = fc
      .string({ maxLength: 30 })
      .filter((text) => !/[[\]|\n`~<>\\#^]/.test(text) && !/^ {4}|\t/.test(text));
    const keys = fc.stringMatching(/^[a-z0-9ก-ฮ]{1,8}(?:\/[a-z0-9 ]{0,6}[a-z0-9]){0,3}$/);
    fc.assert(
      fc.property(words, keys, words, (before, key, after) => {
        expect(places(`${before}[[${key}]]${after}`)).toEqual([
          ['wikilink', `shared/${key.normalize('NFC')}`, ''],
        ]);
      }),
    );
  });

  const hostile: readonly [string, string][] = [
    ['open wikilinks', '[['],
    ['wikilinks with a bar', '[[a|'],
    ['open links', '[a]('],
    ['links with a title', '[a](b "'],
    ['escapes', String.raw`[\[`],
    ['parentheses', '[a](('],
    ['backticks', '` `` ``` '],
    ['spaces', '[a](b    '],
    ['fences', '```\n~~~\n'],
    ['definitions', '[a]:'],
    ['angles', '[a](<'],
    ['pairs', '](x)(x'],
    ['autolinks', '<memory://'],
    ['quotes', '> > > '],
    ['indents', '\n    '],
    ['growing runs', ''],
  ];

  // Work that grows with the square of the length would take minutes here.
  it.each(hostile)(
    'takes hostile text in linear time: %s',
    (name, unit) => {
      const text =
        name === 'growing runs'
          ? Array.from({ length: 1500 }, (_, i) => '`'.repeat(i + 1)).join(' ')
          : unit.repeat(Math.ceil(1_000_000 / unit.length));
      expect(parseTextLinks(text, 1000).length).toBeLessThanOrEqual(4000);
    },
    5000,
  );
});

describe('links in JSON', () => {
  it('are memory URIs and relations', () => {
    expect(
      places({
        author: 'memory://shared/people/ada',
        list: [{ 'a/b': 'memory://coordinator/x' }],
        other: 'see memory://shared/y',
        n: 1,
      }),
    ).toEqual([
      ['uri', 'coordinator/x', '/list/0/a~1b'],
      ['uri', 'shared/people/ada', '/author'],
    ]);
    const entity = {
      name: 'Somchai',
      observations: ['[[no link]]'],
      relations: [{ to: 'C/C++', relationType: 'writes' }, { to: 1 }, null],
    };
    expect(places(entity, { scope: 'shared', key: 'graph/entities/Somchai' })).toEqual([
      ['relation', 'shared/graph/entities/C%2fC++', 'writes'],
    ]);
    expect(places(entity, { scope: 'shared', key: 'people/other' })).toEqual([
      ['relation', 'shared/people/C%2fC++', 'writes'],
    ]);
    expect(places('memory://shared/x is text')).toEqual([]);
  });

  it('never throw, and are bounded', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void linksOf(from, value)));
    let deep: unknown = 'memory://shared/x';
    for (let i = 0; i < 50_000; i++) deep = { ['n'.repeat(50)]: deep };
    expect(linksOf(from, deep)).toHaveLength(1);
    expect(
      linksOf(
        from,
        Array.from({ length: 5000 }, (_, i) => `memory://shared/${i}`),
      ).length,
    ).toBe(1000);
  });
});
