/** Conversations and questions about them, made from hand-written parts; the same in every run. */

import { type Fact, facts, thaiFacts } from './facts.ts';
import { pairs, smallTalk, thaiPairs, thaiSmallTalk } from './small-talk.ts';

/** One message. */
export interface Turn {
  readonly id: string;
  readonly session: string;
  /** Place in the session, from 1. */
  readonly sequence: number;
  /** With date and speaker. */
  readonly text: string;
  readonly atMs: number;
}

/** What is asked, and the messages that answer it. */
export interface Question {
  readonly kind: 'single' | 'paraphrase' | 'twoHops' | 'temporal' | 'thai';
  readonly text: string;
  readonly evidence: readonly string[];
}

/** Everything that was said and is asked. */
export interface Conversations {
  readonly turns: readonly Turn[];
  readonly questions: readonly Question[];
}

interface Told {
  readonly fact: Fact;
  readonly fill: (text: string) => string;
  readonly turn: string;
  readonly month: string;
}

const sessionsPerPair = 16;
/** There are fewer Thai facts, and what one person tells twice is not asked for. */
const sessionsPerThaiPair = 4;
const firstDay = Date.UTC(2025, 0, 6);
const dayMs = 86_400_000;

/** Numbers from 0 to 1, from a seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes the conversations; another seed fills other names and orders them otherwise. */
export function makeConversations(seed = 7): Conversations {
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const shuffled = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => ({ item, order: random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item);
  const turns: Turn[] = [];
  const questions: Question[] = [];

  function fillOf(fact: Fact, me: string, you: string): (text: string) => string {
    const chosen = Object.fromEntries(
      Object.entries(fact.values ?? {}).map(([name, all]) => [name, pick(all)]),
    );
    const slots: Readonly<Record<string, string>> = { ...chosen, me, you };
    return (text) => {
      const filled = text.replaceAll(/\{(\w+)\}/g, (_, name: string) => slots[name] ?? '');
      return filled.charAt(0).toUpperCase() + filled.slice(1);
    };
  }

  function talk(
    pair: readonly [string, string],
    at: number,
    all: readonly Fact[],
    chat: readonly string[],
    isThai: boolean,
  ): void {
    const told = new Map<string, Told[]>();
    let waiting = shuffled(all);
    const sessions = isThai ? sessionsPerThaiPair : sessionsPerPair;
    for (let number = 0; number < sessions; number++) {
      const session = `d${at}s${number}`;
      const atMs = firstDay + (number * 9 + at) * dayMs + 18 * 3_600_000;
      const date = new Date(atMs).toLocaleDateString('en-GB', {
        day: 'numeric',
        month: 'long',
        year: 'numeric',
        timeZone: 'UTC',
      });
      const month = new Date(atMs).toLocaleDateString('en-GB', { month: 'long', timeZone: 'UTC' });
      let sequence = 0;
      const say = (speaker: string, text: string): string => {
        sequence += 1;
        const id = `${session}t${sequence}`;
        turns.push({
          id,
          session,
          sequence,
          text: `${date}, ${speaker}: ${text}`,
          atMs: atMs + sequence * 60_000,
        });
        return id;
      };
      const lines = shuffled(chat).slice(0, 10);
      const blather = (count: number) =>
        lines.splice(0, count).forEach((line, i) => say(pair[i % 2] as string, line));
      blather(2 + Math.floor(random() * 2));
      for (let i = 0; i < 2; i++) {
        if (waiting.length === 0) waiting = shuffled(all);
        const fact = waiting.pop() as Fact;
        const [me, you] = random() < 0.5 ? pair : [pair[1], pair[0]];
        const fill = fillOf(fact, me, you);
        say(you, fill(pick(fact.ask)));
        const turn = say(me, fill(pick(fact.tell)));
        told.set(me, [...(told.get(me) ?? []), { fact, fill, turn, month }]);
        blather(2);
      }
      blather(1 + Math.floor(random() * 2));
    }
    for (const list of told.values()) ask(list, isThai);
  }

  function ask(told: readonly Told[], isThai: boolean): void {
    const asked = new Map<string, Question>();
    const add = (kind: Question['kind'], text: string, evidence: readonly string[]) => {
      const id = `${kind} ${text}`;
      asked.set(id, {
        kind,
        text,
        evidence: [...new Set([...(asked.get(id)?.evidence ?? []), ...evidence])],
      });
    };
    for (const one of told) {
      // What was told twice is answered by either time: such questions would be unfair.
      if (told.some((other) => other !== one && other.fact === one.fact)) continue;
      const { fact, fill, turn, month } = one;
      add(isThai ? 'thai' : 'single', fill(pick(fact.single)), [turn]);
      if (fact.paraphrase) add('paraphrase', fill(pick(fact.paraphrase)), [turn]);
      if (!isThai && random() < 0.5)
        add('temporal', `${fill(pick(fact.single))} It was in ${month} 2025.`, [turn]);
      const hop = told.find((other) => other.fact.about !== undefined && other.fact !== fact);
      if (fact.who !== undefined && hop?.fact.about !== undefined) {
        const who = fill(fact.who);
        const text = hop.fill(hop.fact.about.replace('{who}', who.charAt(0).toLowerCase() + who.slice(1)));
        add('twoHops', text, [turn, hop.turn]);
      }
    }
    questions.push(...asked.values());
  }

  pairs.forEach((pair, at) => talk(pair, at, facts, smallTalk, false));
  thaiPairs.forEach((pair, at) => talk(pair, pairs.length + at, thaiFacts, thaiSmallTalk, true));
  return { turns, questions };
}
