import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonc } from '../../config/jsonc.ts';
import { isAppError } from '../../kernel/errors.ts';
import { readMember, removeMember, setMember } from './edit-jsonc.ts';

const file = 'client.json';
const root = 'mcpServers';
const entry = { url: 'http://127.0.0.1:3000/mcp' };

const commented = `{
  // mine
  "theme": "dark", /* keep */
  "mcpServers": {
    "a": { "command": "x" }, // first
  },
}
`;

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return isAppError(error) ? error.code : String(error);
  }
}

describe('setMember', () => {
  it('keeps comments, order and trailing commas', () => {
    expect(setMember(commented, root, 'ours', entry, file)).toBe(`{
  // mine
  "theme": "dark", /* keep */
  "mcpServers": {
    "a": { "command": "x" }, // first
    "ours": {
      "url": "http://127.0.0.1:3000/mcp"
    },
  },
}
`);
  });

  it('keeps tabs and Windows line ends', () => {
    const text = '{\r\n\t"mcpServers": {}\r\n}\r\n';
    const next = setMember(text, root, 'ours', 1, file);
    expect(next).toBe('{\r\n\t"mcpServers": {\r\n\t\t"ours": 1\r\n\t}\r\n}\r\n');
  });

  it('makes a file of nothing, and a section in a file without one', () => {
    expect(JSON.parse(setMember('', root, 'ours', entry, file))).toEqual({ [root]: { ours: entry } });
    expect(JSON.parse(setMember('{}', root, 'ours', entry, file))).toEqual({ [root]: { ours: entry } });
    expect(JSON.parse(setMember('{"a":1}', root, 'ours', entry, file))).toEqual({
      a: 1,
      [root]: { ours: entry },
    });
  });

  it('is not fooled by comment marks and brackets in strings, nor by a byte order mark', () => {
    const text = '\uFEFF{"x": "http://a/*}{", "mcpServers": {"b\\"}": ["]", {"c": "//"}]}}';
    const next = setMember(text, root, 'ours', 1, file);
    expect(next.startsWith('\uFEFF')).toBe(true);
    expect(parseJsonc(next, file)).toEqual({
      x: 'http://a/*}{',
      mcpServers: { 'b"}': [']', { c: '//' }], ours: 1 },
    });
  });

  it.each(['[]', '"x"', '{', '{"mcpServers": []}', '{"mcpServers": null}', 'hello'])(
    'leaves %s alone',
    (text) => {
      expect(codeOf(() => setMember(text, root, 'ours', 1, file))).toBe('CONFIG_INVALID');
    },
  );
});

describe('removeMember', () => {
  it('undoes what setMember did, comments kept', () => {
    expect(removeMember(setMember(commented, root, 'ours', entry, file), root, 'ours', file)).toBe(commented);
  });

  it('leaves a text without the member as it is', () => {
    expect(removeMember(commented, root, 'ours', file)).toBe(commented);
    expect(removeMember('', root, 'ours', file)).toBe('');
  });

  it.each([
    ['{"mcpServers": {"ours": 1, "b": 2}}', { b: 2 }],
    ['{"mcpServers": {"a": 0, "ours": 1, "b": 2}}', { a: 0, b: 2 }],
    ['{"mcpServers": {"a": 0, /* c */ "ours": 1}}', { a: 0 }],
    ['{"mcpServers": {"ours": 1,}}', {}],
  ])('takes it out of %s', (text, left) => {
    expect(parseJsonc(removeMember(text, root, 'ours', file), file)).toEqual({ mcpServers: left });
  });
});

describe('any JSON', () => {
  const servers = fc.dictionary(
    fc.string().filter((name) => name !== '__proto__' && name !== 'ours'),
    fc.jsonValue(),
  );

  it('comes back with the member set, and as it was when it is removed', () => {
    fc.assert(
      fc.property(servers, fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (map, value, space) => {
        const whole = { before: [1, { a: '}' }], [root]: map, after: null };
        const text = JSON.stringify(whole, null, space);
        const set = setMember(text, root, 'ours', value, file);
        const wanted = JSON.parse(JSON.stringify({ ...whole, [root]: { ...map, ours: value } })) as unknown;
        expect(parseJsonc(set, file)).toEqual(wanted);
        expect(readMember(set, root, 'ours', file)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(JSON.stringify(JSON.parse(removeMember(set, root, 'ours', file)), null, space)).toBe(text);
      }),
    );
  });
});
