/**
 * What the full-text index holds of a memory, as one line of words. A word of the key or of a tag has a mark
 * before it, and so have the memory's scope, type, tags, thread and folders: each is a word of its own, so
 * that a search for it, or within it, touches only the memories that have it.
 */

import { hash } from 'node:crypto';
import { kindOf } from '../files/memory-file.ts';
import type { MemoryFile } from '../files/memory-file.ts';
import { isRecordKey } from '../../kernel/memory/record-keys.ts';
import { mayHaveEnding, stemOf, wordsOf } from '../../kernel/text/segment.ts';

/** Before words of the key, of a tag, of the value. None of them is a letter, so no text can hold them. */
export const fieldMarks = { key: '§', tags: '¶', body: '' } as const;
export type Field = keyof typeof fieldMarks;

/** What a memory can be narrowed down by. */
export type Facet = 'scope' | 'type' | 'tag' | 'thread' | 'folder';

const facetMark = '¤';
const maxBodyLength = 256 * 1024;
const maxFolders = 8;
/** Stems are worth keeping: a language has some ten thousand words, memories have millions. */
const maxStems = 20_000;

/** The word that stands for a facet; its value may be any text. */
export function facetWord(facet: Facet, value: string): string {
  return `${facetMark}${facet}${hash('sha1', value, 'hex').slice(0, 16)}`;
}

/** The beginnings of a key or of a prefix that end with a slash, at most eight. */
export function foldersOf(key: string): string[] {
  const folders: string[] = [];
  for (let at = key.indexOf('/'); at >= 0 && folders.length < maxFolders; at = key.indexOf('/', at + 1)) {
    folders.push(key.slice(0, at + 1));
  }
  return folders;
}

/** Makes lines of words; it remembers stems and the words of facets. */
export function createIndexWords(): (scope: string, key: string, file: MemoryFile) => string {
  const stems = new Map<string, string>();
  const facets = new Map<string, string>();

  function remembered(known: Map<string, string>, name: string, make: () => string): string {
    let found = known.get(name);
    if (found === undefined) {
      found = make();
      if (known.size >= maxStems) known.clear();
      known.set(name, found);
    }
    return found;
  }

  const facet = (kind: Facet, value: string) =>
    remembered(facets, `${kind} ${value}`, () => facetWord(kind, value));
  const stemmed = (text: string, mark: string) =>
    wordsOf(text).map(
      (word) => mark + (mayHaveEnding(word) ? remembered(stems, word, () => stemOf(word)) : word),
    );

  return (scope, key, file) => {
    // Definitions of tools are full of everyday words: a search for what people know must not find them.
    const texts = isRecordKey(scope, key) ? { body: '', key: '', tags: '' } : textsOf(key, file);
    const words = [
      ...stemmed(texts.body, fieldMarks.body),
      ...stemmed(texts.key, fieldMarks.key),
      ...stemmed(texts.tags, fieldMarks.tags),
      facet('scope', scope),
      facet('type', kindOf(file.value)),
      ...file.tags.map((tag) => facet('tag', tag)),
      ...foldersOf(key).map((folder) => facet('folder', folder)),
    ];
    if (file.thread !== undefined) words.push(facetWord('thread', file.thread));
    return words.join(' ');
  };
}

function textsOf(key: string, file: MemoryFile): Readonly<Record<Field, string>> {
  const body = textOf(file.value).slice(0, maxBodyLength).toWellFormed();
  return { body, key, tags: file.tags.join(' ') };
}

/** All words of a value: text as it is, of JSON the field names and the leaves. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const parts: string[] = [];
  const walk = (part: unknown): void => {
    if (Array.isArray(part)) for (const item of part) walk(item);
    else if (typeof part === 'object' && part !== null) {
      for (const [name, field] of Object.entries(part)) {
        parts.push(`${name}:`);
        walk(field);
      }
    } else if (part !== null) parts.push(typeof part === 'string' ? part : JSON.stringify(part));
  };
  walk(value);
  return parts.join(' ');
}
