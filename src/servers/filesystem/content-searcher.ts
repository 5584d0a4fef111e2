/** Searches texts one by one, literally at once or with a regular expression in a thread of its own. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createConcurrencyLimit } from '../../kernel/concurrency-limit.ts';
import { ToolError } from '../../kernel/define-server.ts';
import { messageOf } from '../../kernel/errors.ts';
import { type LineHit, literalMatcher, regexMatcher, searchLines } from './line-search.ts';
import type { RegexAnswer, RegexRequest, RegexThreadData } from './regex-thread.ts';

export interface SearchWish {
  readonly pattern: string;
  readonly regex: boolean;
  readonly caseSensitive: boolean;
  readonly contextLines: number;
}

export interface ContentSearcher extends AsyncDisposable {
  /** The first `limit` matching lines of a text; rejects with the signal's reason when that comes first. */
  search(text: string, limit: number, signal: AbortSignal): Promise<readonly LineHit[]>;
}

/** Each thread costs some 10 MB. */
const regexSearches = createConcurrencyLimit(4, 100);

/** Runs `work` with a searcher; a regular expression waits for one of a few threads. */
export function withSearcher<T>(
  wish: SearchWish,
  signal: AbortSignal,
  work: (searcher: ContentSearcher) => Promise<T>,
): Promise<T> {
  if (!wish.regex) return work(literalSearcher(wish));
  checkRegex(wish);
  return regexSearches.run(async () => {
    await using searcher = regexSearcher(wish);
    return await work(searcher);
  }, signal);
}

function checkRegex(wish: SearchWish): void {
  try {
    regexMatcher(wish.pattern, wish.caseSensitive);
  } catch (error) {
    throw new ToolError(`pattern: ${messageOf(error)}; correct it, or search literally with regex false`, {
      cause: error,
    });
  }
}

function literalSearcher(wish: SearchWish): ContentSearcher {
  const matcher = literalMatcher(wish.pattern, wish.caseSensitive);
  return {
    search: (text, limit) => Promise.resolve(searchLines(text, matcher, limit, wish.contextLines)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function regexSearcher({ pattern, caseSensitive, contextLines }: SearchWish): ContentSearcher {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const workerData: RegexThreadData = { role: 'regex-search', pattern, caseSensitive, contextLines };
  const worker = new Worker(new URL(`./regex-thread${extension}`, import.meta.url), {
    workerData,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 128 },
  });
  // Reported by the call that waits; without a listener the error would end the process.
  worker.on('error', () => {});
  return {
    async search(text, limit, signal) {
      const request: RegexRequest = { text, limit };
      worker.postMessage(request);
      try {
        const [answer] = (await once(worker, 'message', { signal })) as [RegexAnswer];
        return answer;
      } catch (error) {
        throw signal.aborted
          ? signal.reason
          : new ToolError(`pattern: ${messageOf(error)}`, { cause: error });
      }
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
