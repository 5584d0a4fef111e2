/** Search by meaning: the query's vector beside those of the memories. */

import { messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { IndexReader } from '../index/index-reader.ts';
import type { SearchFilter } from '../search/search-filter.ts';
import type { SemanticSearch } from '../search/search-memories.ts';
import type { EmbeddingProvider } from './provider.ts';

/** A service cuts long texts, and few say more after so many characters. */
const maxQueryLength = 8000;
/** A filter that lets more memories pass is checked after the nearest were found. */
const maxAmong = 20_000;

/** Asks the provider at each search; `signal` ends what is under way. */
export function createSemanticSearch(parts: {
  readonly index: Pick<IndexReader, 'search' | 'vectors'>;
  readonly provider: EmbeddingProvider;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
}): SemanticSearch {
  const { index, provider, logger, signal } = parts;

  /** What a filter leaves, when it leaves few enough. */
  function amongOf({ nowMs, ...narrowing }: SearchFilter): ReadonlySet<number> | undefined {
    if (Object.values(narrowing).every((condition) => condition === undefined)) return undefined;
    const passing = index.search.idsOf({ nowMs, ...narrowing }, maxAmong + 1);
    return passing.length > maxAmong ? undefined : new Set(passing);
  }

  return {
    async nearest(query, filter, limit) {
      try {
        const [vector] = await provider.embed([query.slice(0, maxQueryLength).toWellFormed()], signal);
        if (!vector) return undefined;
        return index.vectors.nearest(vector, limit, amongOf(filter));
      } catch (error) {
        logger.debug({ problem: messageOf(error) }, 'searching without the embedding provider');
        return undefined;
      }
    },
  };
}
