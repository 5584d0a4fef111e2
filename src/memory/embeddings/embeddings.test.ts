import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddingDouble, startEmbeddingDouble } from '../../../test/fixtures/embedding-provider.ts';
import { openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { createTemporaryIndex } from '../index/memory-index.ts';
import { encodeMemoryFile } from '../files/memory-file.ts';
import { silentLogger } from '../../kernel/log.ts';
import { createEmbedder } from './embedder.ts';
import { createProvider } from './provider.ts';
import { createSemanticSearch } from './semantic-search.ts';

let double: EmbeddingDouble;
beforeEach(async () => {
  double = await startEmbeddingDouble();
});
afterEach(() => double[Symbol.asyncDispose]());

const settingsOf = (provider: 'ollama' | 'openai' = 'ollama', model = 'm') => ({
  provider,
  url: double.url,
  model,
  apiKey: 'secret-key',
  timeoutMs: 2000,
  batchSize: 4,
});

function openIndex() {
  const index = createTemporaryIndex();
  const clock = createFakeClock();
  const put = (key: string, value: unknown, scope = 'shared') => {
    index.put({
      scope,
      key,
      path: `${scope}/${key}.md`,
      etag: `${key} ${String(value)}`,
      atMs: 0,
      actor: 'a',
      seq: 0,
      content: encodeMemoryFile({ key, tags: [], value }),
    });
    index.writeText(10);
  };
  const start = (model = 'm', isSent = (_scope: string) => true) =>
    createEmbedder({
      index,
      clock,
      logger: silentLogger,
      batchSize: 4,
      isSent,
      provider: createProvider(settingsOf('ollama', model)),
    });
  const semantic = createSemanticSearch({
    index,
    logger: silentLogger,
    provider: createProvider(settingsOf()),
  });
  const keysNear = async (query: string, scopes?: string[]) => {
    const near = await semantic.nearest(query, { nowMs: 0, scopes }, 2);
    return near?.map(({ id }) => index.search.memoryOf(id)?.key);
  };
  return { index, clock, put, start, keysNear, [Symbol.dispose]: () => index[Symbol.dispose]() };
}

describe('createProvider', () => {
  it.each(['ollama', 'openai'] as const)('asks %s for vectors, in the order of the texts', async (name) => {
    const vectors = await createProvider(settingsOf(name)).embed(['a dog', 'a car']);
    expect(vectors.map((vector) => vector.indexOf(Math.max(...vector)))).toEqual([0, 1]);
    const path = name === 'ollama' ? '/api/embed' : '/v1/embeddings';
    expect(double.requests).toEqual([
      { path, authorization: 'Bearer secret-key', model: 'm', input: ['a dog', 'a car'] },
    ]);
  });

  it('takes a base address with a slash or a version', async () => {
    await createProvider({ ...settingsOf('openai'), url: `${double.url}/v1/` }).embed(['x']);
    await createProvider({ ...settingsOf('ollama'), url: `${double.url}/` }).embed(['x']);
    expect(double.requests.map(({ path }) => path)).toEqual(['/v1/embeddings', '/api/embed']);
  });

  it('tells what went wrong, without the key', async () => {
    const failure = async (settings = settingsOf()) =>
      createProvider(settings)
        .embed(['x'])
        .then(
          () => undefined,
          (error: unknown) => error as Error,
        );
    double.fail = (_, response) => Boolean(response.writeHead(503).end('busy'));
    expect(await failure()).toMatchObject({ code: 'UPSTREAM_FAILED', data: { status: 503 } });
    double.fail = (_, response) => Boolean(response.end('<html>'));
    expect(await failure()).toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
    double.fail = (_, response) => Boolean(response.end('{"embeddings":[[1],[2]]}'));
    expect(await failure()).toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
    double.fail = (_, response) =>
      Boolean(response.writeHead(307, { Location: 'http://127.0.0.1:1/' }).end());
    expect(await failure()).toMatchObject({ code: 'UPSTREAM_FAILED' });
    double.fail = () => true;
    expect(await failure({ ...settingsOf(), timeoutMs: 100 })).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    const gone = await failure({ ...settingsOf(), url: 'http://user:word@127.0.0.1:1' });
    expect(gone).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(JSON.stringify(gone) + String(gone?.message)).not.toMatch(/word|secret/);
  });
});

describe('createEmbedder', () => {
  it('makes vectors in batches, once for each state, and finds by meaning', async () => {
    using test = openIndex();
    for (const [at, text] of ['a puppy', 'an automobile', 'the ocean', 'x', 'y'].entries())
      test.put(`k${at}`, text);
    await using embedder = test.start();
    await embedder.settled();
    expect(double.requests.map(({ input }) => input.length)).toEqual([4, 1]);
    expect((await test.keysNear('dog'))?.[0]).toBe('k0');
    expect((await test.keysNear('รถยนต์'))?.[0]).toBe('k1');
    double.requests.length = 0;
    test.put('k3', 'a vehicle');
    test.put('k3', 'a physician');
    await embedder.settled();
    expect(double.requests.map(({ input }) => input)).toEqual([['k3\na physician']]);
    expect((await test.keysNear('doctor'))?.[0]).toBe('k3');
    test.index.remove('shared', 'k3');
    test.index.writeText(10);
    expect(await test.keysNear('doctor')).not.toContain('k3');
  });

  it('goes on after a restart, and begins anew with another model', async () => {
    using test = openIndex();
    for (let at = 0; at < 9; at++) test.put(`k${at}`, `dog ${at}`);
    let asked = 0;
    double.fail = (_, response) => ++asked > 1 && Boolean(response.writeHead(500).end());
    {
      await using embedder = test.start();
      await embedder.settled();
    }
    expect(test.index.vectors.waiting(100)).toHaveLength(5);
    double.fail = undefined;
    double.requests.length = 0;
    {
      await using embedder = test.start();
      await embedder.settled();
      expect(double.requests.flatMap(({ input }) => input)).toHaveLength(5);
    }
    double.requests.length = 0;
    double.dimensions = 12;
    await using embedder = test.start('other');
    await embedder.settled();
    expect(double.requests.flatMap(({ input }) => input)).toHaveLength(9);
    expect(await test.keysNear('dog')).toHaveLength(2);
  });

  it('tries again later and later, and leaves out only what is refused', async () => {
    using test = openIndex();
    test.put('good', 'dog');
    test.put('bad', 'too long');
    double.fail = (_, response) => Boolean(response.writeHead(503).end());
    await using embedder = test.start();
    await embedder.settled();
    const before = double.requests.length;
    double.fail = ({ input }, response) =>
      input.some((text) => text.includes('long')) && Boolean(response.writeHead(400).end());
    test.clock.advance(1000);
    await embedder.settled();
    expect(double.requests.length).toBeGreaterThan(before);
    expect(test.index.vectors.waiting(10)).toEqual([]);
    expect(await test.keysNear('dog')).toEqual(['good']);
  });

  it('sends nothing of scopes that are left out, and searches within a scope', async () => {
    using test = openIndex();
    test.put('private', 'dog', 'server:a');
    test.put('public', 'dog', 'shared');
    test.put('other', 'car', 'category:x');
    await using embedder = test.start('m', (scope) => scope !== 'server:a');
    await embedder.settled();
    expect(JSON.stringify(double.requests)).not.toContain('private');
    expect(await test.keysNear('dog')).toEqual(['public', 'other']);
    expect(await test.keysNear('dog', ['category:x'])).toEqual(['other']);
  });

  it('has the cosine right to a hundredth', () => {
    using index = createTemporaryIndex();
    const random = (seed: number) =>
      Float32Array.from({ length: 384 }, (_, at) => Math.sin(seed * 997 + at * 7.3));
    const cosine = (a: Float32Array, b: Float32Array) => {
      const product = (x: Float32Array, y: Float32Array) =>
        x.reduce((sum, part, at) => sum + part * (y[at] ?? 0), 0);
      return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
    };
    index.vectors.useModel('m');
    for (let id = 1; id <= 20; id++) index.vectors.put(id, random(id));
    for (const { id, similarity } of index.vectors.nearest(random(3.01), 20)) {
      expect(Math.abs(similarity - cosine(random(3.01), random(id)))).toBeLessThan(0.01);
    }
  });
});

describe('search with a provider', () => {
  it('fuses words and meaning, says so, and answers by words when the provider is gone', async () => {
    const embeddings = { ...settingsOf(), scopes: {} };
    await using test = await openTestMemory({ embeddings });
    await test.call('store', { key: 'pets', value: 'Mali got a beagle called Toffee' });
    await test.call('store', { key: 'trip', value: 'We went to the beach' });
    const search = (query: string, more: object = {}) => test.call('search', { query, ...more });
    await expect
      .poll(async () => (await search('dog')).hits.map(({ key }) => key), { timeout: 10_000 })
      .toEqual(expect.arrayContaining(['pets']));
    const found = await search('dog called', { explain: true });
    expect(found).toMatchObject({
      semantic: 'used',
      hits: [{ key: 'pets', explain: { textRank: 1, semantic: { rank: 1 } } }, {}],
    });
    expect((await search('dog', { semantic: false })).hits).toEqual([]);
    double.fail = (_, response) => Boolean(response.writeHead(500).end());
    expect(await search('beagle')).toMatchObject({ semantic: 'unavailable', hits: [{ key: 'pets' }] });
  });
});
