/** The thread in which regular expressions run: one that takes exponential time is ended from outside. */

import { parentPort, workerData } from 'node:worker_threads';
import { type LineHit, regexMatcher, searchLines } from './line-search.ts';

/** What the thread is started with. */
export interface RegexThreadData {
  readonly role: 'regex-search';
  readonly pattern: string;
  readonly caseSensitive: boolean;
  readonly contextLines: number;
}

/** One text to search. */
export interface RegexRequest {
  readonly text: string;
  readonly limit: number;
}

export type RegexAnswer = readonly LineHit[];

function isOurs(data: unknown): data is RegexThreadData {
  return typeof data === 'object' && data !== null && 'role' in data && data.role === 'regex-search';
}

// Only when started for this: whoever merely imports this file, also in another thread, starts nothing.
if (isOurs(workerData)) {
  const { pattern, caseSensitive, contextLines } = workerData;
  const matcher = regexMatcher(pattern, caseSensitive);
  parentPort?.on('message', ({ text, limit }: RegexRequest) => {
    parentPort?.postMessage(searchLines(text, matcher, limit, contextLines) satisfies RegexAnswer);
  });
}
