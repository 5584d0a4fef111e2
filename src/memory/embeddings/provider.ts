/** What makes vectors of texts: a service with a model, reached over HTTP. */

import { createOllamaProvider } from './ollama.ts';
import { createOpenAiProvider } from './openai.ts';

/** Turns texts into vectors. */
export interface EmbeddingProvider {
  /** Provider and model: vectors of different ones do not compare. */
  readonly id: string;
  /**
   * One vector a text, in their order, all of one length. Throws UPSTREAM_UNAVAILABLE, UPSTREAM_TIMEOUT and
   * UPSTREAM_FAILED (`data.status` where there was an answer), UPSTREAM_PROTOCOL or PAYLOAD_TOO_LARGE.
   */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
}

/** Which service, and how to ask it. */
export interface EmbeddingSettings {
  readonly provider: 'ollama' | 'openai';
  /** Base address, e.g. `http://127.0.0.1:11434` or `https://api.openai.com`. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token to that address only. */
  readonly apiKey?: string | undefined;
  /** Longest time for one request. */
  readonly timeoutMs: number;
  /** Texts in one request. */
  readonly batchSize: number;
}

/** The settings, and which scopes are left out, by pattern. */
export interface EmbeddingOptions extends EmbeddingSettings {
  readonly scopes: Readonly<Record<string, { readonly embeddings?: boolean | undefined }>>;
}

const makers = { ollama: createOllamaProvider, openai: createOpenAiProvider } as const;

/** The provider that the settings name. */
export function createProvider(settings: EmbeddingSettings): EmbeddingProvider {
  return makers[settings.provider](settings);
}
