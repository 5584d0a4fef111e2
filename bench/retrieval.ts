/**
 * How good the search finds: `node bench/retrieval.ts [--seed N]`. Conversations of our own making, each message
 * a memory, and questions whose answering messages are known; recall and reciprocal rank of plain FTS5 (porter
 * stems, stop words left out, words OR-ed), of ours, and of ours with neighbours. Then the same with each session
 * one memory. Last line: one JSON object.
 */

import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { encodeMemoryFile } from '../src/memory/files/memory-file.ts';
import { createTemporaryIndex, type MemoryIndex } from '../src/memory/index/memory-index.ts';
import { parseQuery } from '../src/memory/search/query.ts';
import { rankHits, type Recency } from '../src/memory/search/rank-hits.ts';
import { segmentText } from '../src/kernel/text/segment.ts';
import { makeConversations, type Question } from './retrieval-data/conversations.ts';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '7' } } });
const { turns, questions } = makeConversations(Number(values.seed));
const depth = 50;

interface Item {
  readonly id: string;
  readonly text: string;
  readonly thread?: string;
  readonly sequence?: number;
  readonly atMs: number;
}

type Search = (query: string) => readonly string[];

/** FTS5 as it comes: bm25 over one column of stems, any of the telling words. */
function plainSearch(items: readonly Item[]): Search {
  const db = new DatabaseSync(':memory:');
  db.exec(
    `CREATE VIRTUAL TABLE plain USING fts5 (text, tokenize = "porter unicode61 categories 'L* N* Co Mn Mc'")`,
  );
  const put = db.prepare('INSERT INTO plain (rowid, text) VALUES (?, ?)');
  for (const [at, { text }] of items.entries()) put.run(at, segmentText(text));
  const match = db.prepare('SELECT rowid AS at FROM plain WHERE plain MATCH ? ORDER BY rank LIMIT ?');
  return (query) => {
    const words = parseQuery(query)?.words ?? [];
    const rows = match.all(words.map(({ word }) => `"${word}"`).join(' OR '), depth);
    return (rows as unknown as { at: number }[]).map(({ at }) => items[at]?.id ?? '');
  };
}

function indexOf(items: readonly Item[]): MemoryIndex {
  const index = createTemporaryIndex();
  index.transaction(() => {
    for (const { id, text, thread, sequence, atMs } of items) {
      const place = { scope: 'shared', key: id, path: `shared/${id}.md`, etag: id };
      const file = {
        key: id,
        tags: [],
        value: text,
        ...(thread && { thread }),
        ...(sequence && { sequence }),
      };
      index.put({ ...place, atMs, actor: 'bench', seq: 0, content: encodeMemoryFile(file) });
    }
    index.writeText(items.length);
  });
  return index;
}

function ourSearch(index: MemoryIndex, options: { neighbors: boolean; recency: Recency }): Search {
  const nowMs = Math.max(...turns.map(({ atMs }) => atMs)) + 86_400_000;
  return (text) => {
    const query = parseQuery(text);
    if (!query) return [];
    const filter = { nowMs };
    const { rows } = index.search.find(query, filter, [], 300);
    const ranked = rankHits(index.search, rows, filter, { ...options, nowMs });
    return ranked.slice(0, depth).map(({ id }) => index.search.memoryOf(id)?.key ?? '');
  };
}

/** Shares of the evidence among the first hits, and the mean reciprocal rank of the first of it. */
function measure(
  search: Search,
  asked: readonly Question[],
  evidenceOf: (question: Question) => readonly string[],
) {
  const sums = { recall1: 0, recall5: 0, recall10: 0, mrr: 0 };
  for (const question of asked) {
    const evidence = new Set(evidenceOf(question));
    const found = search(question.text);
    const share = (k: number) => found.slice(0, k).filter((id) => evidence.has(id)).length / evidence.size;
    sums.recall1 += share(1);
    sums.recall5 += share(5);
    sums.recall10 += share(10);
    const first = found.findIndex((id) => evidence.has(id));
    sums.mrr += first < 0 ? 0 : 1 / (first + 1);
  }
  const mean = (sum: number) => Math.round((1000 * sum) / asked.length) / 1000;
  const { recall1, recall5, recall10, mrr } = sums;
  return { recall1: mean(recall1), recall5: mean(recall5), recall10: mean(recall10), mrr: mean(mrr) };
}

const kinds = [...new Set(questions.map(({ kind }) => kind))];

function compare(
  name: string,
  searches: Readonly<Record<string, Search>>,
  evidenceOf: (question: Question) => readonly string[],
) {
  const figures: Record<string, object> = {};
  for (const [how, search] of Object.entries(searches)) {
    const all = measure(search, questions, evidenceOf);
    const byKind = Object.fromEntries(
      kinds.map((kind) => [
        kind,
        measure(
          search,
          questions.filter((one) => one.kind === kind),
          evidenceOf,
        ),
      ]),
    );
    process.stdout.write(`${name}, ${how}: ${JSON.stringify(all)}\n`);
    for (const [kind, row] of Object.entries(byKind))
      process.stdout.write(`  ${kind}: ${JSON.stringify(row)}\n`);
    figures[how] = { ...all, byKind };
  }
  return figures;
}

const messages = turns.map(({ session, ...turn }): Item => ({ ...turn, thread: session }));
const sessions = [...Map.groupBy(turns, ({ session }) => session)].map(([id, list]): Item => ({
  id,
  text: list.map(({ text }) => text).join('\n'),
  atMs: list[0]?.atMs ?? 0,
}));
const sessionOf = new Map(turns.map(({ id, session }) => [id, session]));
using messageIndex = indexOf(messages);
using sessionIndex = indexOf(sessions);
const alone = { neighbors: false, recency: 'none' } as const;
const byMessage = compare(
  'messages',
  {
    plain: plainSearch(messages),
    ours: ourSearch(messageIndex, alone),
    oursWithNeighbors: ourSearch(messageIndex, { ...alone, neighbors: true }),
    oursAsGiven: ourSearch(messageIndex, { neighbors: true, recency: 'mild' }),
  },
  ({ evidence }) => evidence,
);
const bySession = compare(
  'sessions',
  { plain: plainSearch(sessions), ours: ourSearch(sessionIndex, alone) },
  ({ evidence }) => evidence.map((id) => sessionOf.get(id) ?? ''),
);
const count = { messages: messages.length, sessions: sessions.length, questions: questions.length };
process.stdout.write(`${JSON.stringify({ bench: 'retrieval', ...count, byMessage, bySession })}\n`);
