/**
 * Tools by their words, ranked by BM25 over weighted fields (Robertson and Zaragoza, 2009). In memory, and changed a
 * tool at a time: what stays as it was is not read again.
 */

import { toolWords } from './tool-words.ts';
import { relatedWords } from './word-groups.ts';

/** What is known of a tool, by how much a word in it says. */
export interface ToolDocument {
  /** Equal keys are one tool on several instances: found once. */
  readonly key: string;
  readonly name: string;
  readonly title: string;
  /** The first sentence of its description. */
  readonly summary: string;
  /** The rest of it. */
  readonly details: string;
  /** Names of the parameters. */
  readonly parameters: string;
  readonly parameterTexts: string;
  /** Names and category of its server. */
  readonly server: string;
}

type Weights = Readonly<Record<Exclude<keyof ToolDocument, 'key'>, number>>;

/** What one occurrence of a word counts, by where it stands. */
const fieldWeights: Weights = {
  name: 4,
  title: 3,
  summary: 2,
  details: 0.8,
  parameters: 0.6,
  parameterTexts: 0.25,
  server: 1,
};
const fields = Object.keys(fieldWeights) as (keyof Weights)[];

/** How soon more of the same word stops to matter, and how much a long text is held against a tool. */
const saturation = 1.2;
const lengthPart = 0.35;
/** What another word for the same thing, or the beginning of a longer word, counts. */
const relatedWeight = 0.4;
const minPrefixLength = 3;
const maxPrefixWords = 20;

export interface ToolHit {
  readonly key: string;
  readonly score: number;
}

export interface ToolIndex {
  readonly size: number;
  /** Adds a tool, in place of one with the same key. */
  put(document: ToolDocument): void;
  remove(key: string): void;
  /** The best `limit` tools that have any word of the query, and how many have; equal scores in the order of `put`. */
  search(
    query: string,
    limit: number,
    accepts?: (key: string) => boolean,
  ): { hits: ToolHit[]; found: number };
}

interface Entry {
  readonly key: string;
  readonly slot: number;
  readonly order: number;
  readonly words: readonly string[];
  readonly length: number;
}

/** Slots of the tools that have a word, each with its weighted frequency at the same place. */
interface Posting {
  readonly slots: number[];
  readonly frequencies: number[];
}

export function createToolIndex(): ToolIndex {
  const entries = new Map<string, Entry>();
  const bySlot: (Entry | undefined)[] = [];
  const freeSlots: number[] = [];
  const postings = new Map<string, Posting>();
  let totalLength = 0;
  let order = 0;

  function remove(key: string): void {
    const entry = entries.get(key);
    if (!entry) return;
    entries.delete(key);
    bySlot[entry.slot] = undefined;
    freeSlots.push(entry.slot);
    totalLength -= entry.length;
    for (const word of entry.words) {
      const posting = postings.get(word);
      if (!posting) continue;
      cut(posting, entry.slot);
      if (posting.slots.length === 0) postings.delete(word);
    }
  }

  /** The words of the index that a word of a query stands for, each with what it counts. */
  function expand(word: string): Map<string, number> {
    const words = new Map<string, number>([[word, 1]]);
    for (const other of relatedWords(word)) words.set(other, relatedWeight);
    if (postings.has(word) || word.length < minPrefixLength) return words;
    for (const known of postings.keys()) {
      if (words.size > maxPrefixWords) break;
      if (known.startsWith(word) && !words.has(known)) words.set(known, relatedWeight);
    }
    return words;
  }

  /** Adds to the scores what one word of a query is worth; of several words for a thing a tool's best counts. */
  function addWord(word: string, scores: Float64Array, best: Float64Array): void {
    const touched: number[] = [];
    for (const [known, weight] of expand(word)) {
      const posting = postings.get(known);
      if (!posting) continue;
      const { slots, frequencies } = posting;
      for (let at = 0; at < slots.length; at += 1) {
        const slot = slots[at]!;
        const frequency = weight * frequencies[at]!;
        if (best[slot] === 0) touched.push(slot);
        if (frequency > best[slot]!) best[slot] = frequency;
      }
    }
    const rarity = Math.log(1 + (entries.size - touched.length + 0.5) / (touched.length + 0.5));
    const meanLength = totalLength / Math.max(1, entries.size);
    for (const slot of touched) {
      const frequency = best[slot]!;
      const norm = 1 - lengthPart + lengthPart * ((bySlot[slot]?.length ?? 0) / meanLength);
      scores[slot]! += (rarity * frequency * (saturation + 1)) / (frequency + saturation * norm);
      best[slot] = 0;
    }
  }

  return {
    get size() {
      return entries.size;
    },
    put(document) {
      remove(document.key);
      const { words, length } = countWords(document);
      const slot = freeSlots.pop() ?? bySlot.length;
      const entry: Entry = { key: document.key, slot, order: (order += 1), words: [...words.keys()], length };
      entries.set(document.key, entry);
      bySlot[slot] = entry;
      totalLength += length;
      for (const [word, frequency] of words) {
        const posting = postings.get(word) ?? { slots: [], frequencies: [] };
        postings.set(word, posting);
        posting.slots.push(slot);
        posting.frequencies.push(frequency);
      }
    },
    remove,
    search(query, limit, accepts = () => true) {
      const scores = new Float64Array(bySlot.length);
      const best = new Float64Array(bySlot.length);
      for (const word of new Set(toolWords(query))) addWord(word, scores, best);
      const found: number[] = [];
      for (const [slot, entry] of bySlot.entries())
        if (entry && scores[slot]! > 0 && accepts(entry.key)) found.push(slot);
      const isBetter = (a: number, b: number): boolean =>
        scores[a]! > scores[b]! || (scores[a] === scores[b] && bySlot[a]!.order < bySlot[b]!.order);
      const hits = topOf(found, limit, isBetter).map((slot) => ({
        key: bySlot[slot]!.key,
        score: scores[slot]!,
      }));
      return { hits, found: found.length };
    },
  };
}

/** Takes a slot out of a posting; the last one takes its place. */
function cut({ slots, frequencies }: Posting, slot: number): void {
  const at = slots.indexOf(slot);
  const lastSlot = slots.pop();
  const lastFrequency = frequencies.pop();
  if (at < 0 || at >= slots.length || lastSlot === undefined || lastFrequency === undefined) return;
  slots[at] = lastSlot;
  frequencies[at] = lastFrequency;
}

/** The best few in order, by insertion into a short list. */
function topOf(all: readonly number[], limit: number, isBetter: (a: number, b: number) => boolean): number[] {
  const top: number[] = [];
  for (const one of all) {
    if (top.length >= limit && !isBetter(one, top.at(-1)!)) continue;
    let at = top.length;
    while (at > 0 && isBetter(one, top[at - 1]!)) at -= 1;
    top.splice(at, 0, one);
    if (top.length > limit) top.pop();
  }
  return top;
}

function countWords(document: ToolDocument): { words: Map<string, number>; length: number } {
  const words = new Map<string, number>();
  let length = 0;
  for (const field of fields) {
    const weight = fieldWeights[field];
    for (const word of toolWords(document[field])) {
      words.set(word, (words.get(word) ?? 0) + weight);
      length += weight;
    }
  }
  return { words, length };
}
