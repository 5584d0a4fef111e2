import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createToolIndex, type ToolDocument } from './tool-index.ts';
import { toolWords } from './tool-words.ts';

function document(key: string, parts: Partial<ToolDocument> = {}): ToolDocument {
  const none = { title: '', summary: '', details: '', parameters: '', parameterTexts: '', server: '' };
  return { key, name: key, ...none, ...parts };
}

const found = (query: string, ...documents: ToolDocument[]): string[] => {
  const index = createToolIndex();
  for (const one of documents) index.put(one);
  return index.search(query, 10).hits.map(({ key }) => key);
};

describe('toolWords', () => {
  it('cuts snake_case, camelCase, kebab-case and Thai', () => {
    const readFile = toolWords('read file');
    expect(toolWords('read_file readFile read-file')).toEqual([...readFile, ...readFile, ...readFile]);
    expect(toolWords('parseHTTPResponse2Json')).toEqual(toolWords('parse http response2 json'));
    expect(toolWords('ลบไฟล์')).toEqual(['ลบ', 'ไฟล์']);
  });

  it('drops what says nothing, and brings forms of a word together', () => {
    expect(toolWords('What are the files in it?')).toEqual(toolWords('file'));
  });
});

describe('tool index', () => {
  const tools = [
    document('read_file', { summary: 'Reads a text file.' }),
    document('write_file', { summary: 'Writes a text file.' }),
    document('send_mail', { summary: 'Sends a message.', details: 'Files may be attached.' }),
  ];

  it('puts the name before the description', () => {
    expect(found('read', ...tools)[0]).toBe('read_file');
    expect(found('files', ...tools)).toEqual(['read_file', 'write_file', 'send_mail']);
  });

  it('knows other words for a thing, in English and Thai', () => {
    expect(found('remove document', document('delete_file'), document('delete_user'))[0]).toBe('delete_file');
    expect(found('ลบไฟล์', document('list_users'), document('delete_file'))[0]).toBe('delete_file');
  });

  it('takes the beginning of a word that it does not know', () => {
    expect(found('conf', document('show_configuration'), document('show_users'))).toEqual([
      'show_configuration',
    ]);
  });

  it('finds nothing for nothing, and for what no tool says', () => {
    expect(found('', ...tools)).toEqual([]);
    expect(found('the of and', ...tools)).toEqual([]);
    expect(found('zzz "?*', ...tools)).toEqual([]);
  });

  it('counts all that fit and returns the best', () => {
    const index = createToolIndex();
    for (const tool of tools) index.put(tool);
    const { hits, found: count } = index.search('file', 1);
    expect([hits.length, count]).toEqual([1, 3]);
    expect(index.search('file', 10, (key) => key === 'send_mail').hits.map(({ key }) => key)).toEqual([
      'send_mail',
    ]);
  });

  it('after any changes answers as one that was made anew', () => {
    const word = fc.constantFrom('read', 'file', 'user', 'mail', 'query', 'table');
    const change = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      words: fc.option(fc.array(word, { maxLength: 4 })),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), word, (changes, query) => {
        const index = createToolIndex();
        const now = new Map<string, ToolDocument>();
        for (const { key, words } of changes) {
          now.delete(key);
          if (words === null) index.remove(key);
          else {
            const made = document(key, { name: 'x', summary: words.join(' ') });
            now.set(key, made);
            index.put(made);
          }
        }
        const fresh = createToolIndex();
        for (const made of now.values()) fresh.put(made);
        expect(index.size).toBe(fresh.size);
        const rounded = ({ hits }: ReturnType<typeof index.search>) =>
          hits.map(({ key, score }) => [key, Math.round(score * 1e6)]);
        expect(rounded(index.search(query, 10))).toEqual(rounded(fresh.search(query, 10)));
      }),
    );
  });
});
