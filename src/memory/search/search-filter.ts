/** What hits are narrowed down by: as words of the full-text index where it has them, as SQL for the rest. */

import type { SQLInputValue } from 'node:sqlite';
import type { FileKind } from '../files/key-path.ts';
import { type Facet, facetWord, fieldMarks, foldersOf } from './index-words.ts';
import { isUnspaced, stemOf, wordsOf } from '../../kernel/text/segment.ts';

/** Conditions on hits; all of those given must hold. */
export interface SearchFilter {
  readonly scopes?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly type?: FileKind | undefined;
  readonly thread?: string | undefined;
  /** In NFC. */
  readonly prefix?: string | undefined;
  /** Changed at this time or later, in milliseconds since the Unix epoch. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** What has expired by then is no hit. */
  readonly nowMs: number;
}

const quote = (word: string) => `"${word}"`;
const facet = (kind: Facet, value: string) => quote(facetWord(kind, value));

/** FTS5 expressions that all hits match. */
export function narrowingOf(filter: SearchFilter): string[] {
  const { scopes, tags = [], type, thread, prefix = '' } = filter;
  const all = tags.map((tag) => facet('tag', tag));
  if (scopes) all.push(`(${scopes.map((scope) => facet('scope', scope)).join(' OR ')})`);
  if (type !== undefined) all.push(facet('type', type));
  if (thread !== undefined) all.push(facet('thread', thread));
  const folder = foldersOf(prefix).at(-1);
  if (folder !== undefined) all.push(facet('folder', folder));
  return all;
}

/** An FTS5 expression for the words in their order, in one field; undefined when there is no word. */
export function phraseExpression(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const ways = Object.values(fieldMarks).map((mark) => {
    const parts: string[] = [];
    let run: string[] = [];
    const end = () => {
      if (run.length > 0) parts.push(quote(run.join(' ')));
      run = [];
    };
    for (const word of words) {
      if (isUnspaced(word)) {
        end();
        parts.push(`${quote(mark + word)} *`);
      } else run.push(mark + stemOf(word));
    }
    end();
    return `(${parts.join(' AND ')})`;
  });
  return `(${ways.join(' OR ')})`;
}

/** FTS5 expressions of texts that no hit may have. */
export function withoutOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) => phraseExpression(wordsOf(text)) ?? []);
}

/** The whole filter as a condition on `entries e`. */
export function filterSql(filter: SearchFilter): {
  readonly sql: string;
  readonly parameters: SQLInputValue[];
} {
  const { scopes, tags = [], type, thread, prefix, sinceMs, untilMs, nowMs } = filter;
  const parts = ['(e.expires_ms IS NULL OR e.expires_ms > ?)'];
  const parameters: SQLInputValue[] = [nowMs];
  const add = (sql: string, ...values: SQLInputValue[]) => {
    parts.push(sql);
    parameters.push(...values);
  };
  if (scopes) add('e.scope IN (SELECT value FROM json_each(?))', JSON.stringify(scopes));
  for (const tag of tags) add('EXISTS (SELECT 1 FROM json_each(e.tags) j WHERE j.value = ?)', tag);
  if (type !== undefined) add(`e.path ${type === 'json' ? '' : 'NOT'} LIKE '%.json'`);
  if (thread !== undefined)
    add('EXISTS (SELECT 1 FROM threads t WHERE t.entry_id = e.id AND t.thread = ?)', thread);
  if (prefix !== undefined && prefix !== '') add('e.key >= ? AND e.key < ?', prefix, `${prefix}\u{10ffff}`);
  if (sinceMs !== undefined) add('e.at_ms >= ?', sinceMs);
  if (untilMs !== undefined) add('e.at_ms <= ?', untilMs);
  return { sql: parts.join(' AND '), parameters };
}
