import { describe, expect, it } from 'vitest';
import { memoryShape } from './memory-shape.ts';

const embeddings = { provider: 'ollama', url: 'http://127.0.0.1:11434', model: 'nomic-embed-text' };

describe('memory.embeddings', () => {
  it('is absent by default, and complete when given', () => {
    expect(memoryShape.parse({}).embeddings).toBeUndefined();
    const given = memoryShape.parse({ embeddings, scopes: { 'server:*': { embeddings: false } } });
    expect(given.embeddings).toEqual({ ...embeddings, timeoutMs: 30_000, batchSize: 16 });
    expect(given.scopes).toEqual({ 'server:*': { embeddings: false } });
  });

  it.each([
    { ...embeddings, apiKey: 'written down' },
    { ...embeddings, url: 'file:///etc/passwd' },
    { ...embeddings, provider: 'other' },
    { ...embeddings, model: '' },
  ])('refuses %o', (wrong) => {
    expect(memoryShape.safeParse({ embeddings: wrong }).success).toBe(false);
  });
});
