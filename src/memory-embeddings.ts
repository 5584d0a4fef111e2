/** The embeddings of the memory as the config has them. Part of the composition root, like `coordinator.ts`. */

import type { LoadedConfig } from './config/load-config.ts';
import { resolveReference, secretSource } from './config/resolve-secrets.ts';
import type { MemoryOptions } from './memory/open-memory.ts';

/** Search by meaning as configured; the key is read here and goes to the provider only. */
export async function memoryEmbeddings(loaded: LoadedConfig): Promise<Pick<MemoryOptions, 'embeddings'>> {
  const { embeddings, scopes } = loaded.config.memory;
  if (!embeddings) return {};
  const { apiKey: reference, ...settings } = embeddings;
  const where = 'memory.embeddings.apiKey';
  const apiKey = reference && (await resolveReference(reference, where, secretSource(loaded)));
  return { embeddings: { ...settings, apiKey, scopes } };
}
