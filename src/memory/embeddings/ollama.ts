/** Ollama's `POST /api/embed` (https://docs.ollama.com/api/embed). */

import { z } from 'zod';
import { postJson } from './post-json.ts';
import type { EmbeddingProvider, EmbeddingSettings } from './provider.ts';
import { readVectors } from './vector-shape.ts';

const answerShape = z.looseObject({ embeddings: z.unknown() });

/** A provider that asks Ollama; longer texts are cut by it. */
export function createOllamaProvider(settings: EmbeddingSettings): EmbeddingProvider {
  const { model } = settings;
  return {
    id: `ollama ${model}`,
    async embed(texts, signal) {
      const body = { model, input: texts, truncate: true };
      const answer = answerShape.safeParse(await postJson({ ...settings, path: '/api/embed' }, body, signal));
      return readVectors(answer.data?.embeddings, texts.length);
    },
  };
}
