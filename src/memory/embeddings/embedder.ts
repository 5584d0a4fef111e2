/** Makes vectors of memories in the background. */

import { isRecordKey } from '../../kernel/memory/record-keys.ts';
import type { Clock } from '../../kernel/clock.ts';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { keylessCodec } from '../encryption/file-codec.ts';
import type { MemoryIndex } from '../index/memory-index.ts';
import { textOf } from '../search/index-words.ts';
import type { EmbeddingProvider } from './provider.ts';

/** The background work. */
export interface Embedder extends AsyncDisposable {
  /** Resolves when nothing waits, or when the provider cannot be reached. */
  settled(): Promise<void>;
}

const pollMs = 1000;
const firstRetryMs = 1000;
const maxRetryMs = 300_000;
/** A service cuts long texts, and few say more after so many characters. */
const maxTextLength = 8000;

/** Starts the work; what waited when it was disposed goes on with the next start. */
export function createEmbedder(parts: {
  readonly index: Pick<MemoryIndex, 'search' | 'vectors' | 'transaction'>;
  readonly provider: EmbeddingProvider;
  readonly batchSize: number;
  /** Whether memories of a scope may be sent to the provider. */
  readonly isSent: (scope: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}): Embedder {
  const { index, provider, batchSize, isSent, clock, logger } = parts;
  const stop = new AbortController();
  let cancel: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let retryMs = firstRetryMs;
  index.vectors.useModel(provider.id);

  function textAt(id: number): { text: string; etag: string } | undefined {
    const memory = index.search.memoryOf(id);
    if (!memory || !isSent(memory.scope) || isRecordKey(memory.scope, memory.key)) return undefined;
    // What is sealed is not sent anywhere.
    const { file } = keylessCodec.inspect(memory.scope, memory.path, memory.content);
    if (!file) return undefined;
    const { value, tags } = file;
    const text = [memory.key, tags.join(' '), textOf(value)].filter(Boolean).join('\n');
    return { text: text.slice(0, maxTextLength).toWellFormed(), etag: memory.etag };
  }

  /** Asks for all at once; when the service refuses them, for each alone, so that one cannot hold up the others. */
  async function embedAll(texts: readonly string[]): Promise<(Float32Array | undefined)[]> {
    try {
      return await provider.embed(texts, stop.signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (texts.length > 1) {
        const vectors: (Float32Array | undefined)[] = [];
        for (const text of texts) vectors.push(...(await embedAll([text])));
        return vectors;
      }
      logger.warn({ problem: messageOf(error) }, 'a memory is left out of semantic search');
      return [undefined];
    }
  }

  /** Works off one batch; false when nothing waits. */
  async function step(): Promise<boolean> {
    const ids = index.vectors.waiting(batchSize);
    if (ids.length === 0) return false;
    const known = ids.map(textAt);
    const texts = known.flatMap((one) => one?.text ?? []);
    const vectors = texts.length === 0 ? [] : await embedAll(texts);
    if (stop.signal.aborted) return false;
    index.transaction(() => {
      let next = 0;
      for (const [at, id] of ids.entries()) {
        const before = known[at];
        const vector = before && vectors[next++];
        // What changed meanwhile stays in the queue.
        if (before?.etag === index.search.memoryOf(id)?.etag || !before) index.vectors.put(id, vector);
      }
    });
    return true;
  }

  async function work(): Promise<void> {
    try {
      while (await step());
      retryMs = firstRetryMs;
      schedule(pollMs);
    } catch (error) {
      if (stop.signal.aborted) return;
      const level = retryMs === firstRetryMs ? 'warn' : 'debug';
      logger[level]({ problem: messageOf(error), retryMs }, 'the embedding provider failed; trying again');
      schedule(retryMs);
      retryMs = Math.min(maxRetryMs, retryMs * 2);
    }
  }

  function start(): Promise<void> {
    cancel?.();
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  }

  function schedule(delayMs: number): void {
    if (!stop.signal.aborted) cancel = clock.after(delayMs, () => void start());
  }

  void start();
  return {
    settled: () => start(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      cancel?.();
      await running;
    },
  };
}

/** True when the service does not want this text; a wrong key or address is no such refusal. */
function isRefusal(error: unknown): boolean {
  return isAppError(error, 'UPSTREAM_FAILED') && [400, 413, 422].includes(Number(error.data['status']));
}
