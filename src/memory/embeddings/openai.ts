/**
 * `POST /v1/embeddings` as OpenAI defines it (https://platform.openai.com/docs/api-reference/embeddings) and
 * many others speak it: vLLM, LM Studio, llama.cpp, Mistral, Together.
 */

import { z } from 'zod';
import { postJson } from './post-json.ts';
import type { EmbeddingProvider, EmbeddingSettings } from './provider.ts';
import { readVectors } from './vector-shape.ts';

const answerShape = z.looseObject({
  data: z.array(z.looseObject({ index: z.int(), embedding: z.unknown() })),
});

/** A provider that asks an OpenAI-compatible service. */
export function createOpenAiProvider(settings: EmbeddingSettings): EmbeddingProvider {
  const { model } = settings;
  return {
    id: `openai ${model}`,
    async embed(texts, signal) {
      const body = { model, input: texts, encoding_format: 'float' };
      const path = '/v1/embeddings';
      const answer = answerShape.safeParse(await postJson({ ...settings, path }, body, signal));
      // The order is given by the index, not by the place.
      const rows = answer.data?.data.toSorted((a, b) => a.index - b.index);
      return readVectors(
        rows?.map(({ embedding }) => embedding),
        texts.length,
      );
    },
  };
}
