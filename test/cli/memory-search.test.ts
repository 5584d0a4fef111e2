import { describe, expect, it } from 'vitest';
import { at, etag } from './coordinator-double.ts';
import { startRestDouble } from './rest-double.ts';
import { useCommandLine } from './use-command-line.ts';

const hit = {
  key: 'a/b',
  scope: 'shared',
  score: 1.234_56,
  tags: [],
  etag,
  updatedAt: at,
  snippet: 'the moon, ดวงจันทร์',
  highlights: [[4, 8]],
  explain: {
    words: [{ word: 'moon', key: 0, tags: 0, body: 1, idf: 2, score: 1.1 }],
    text: 1.1,
    neighbors: 0.2,
    recency: 1.05,
    semantic: { rank: 3, similarity: 0.8 },
  },
};

const cli = useCommandLine(() =>
  startRestDouble({
    memorySearch: ({ body }) => ({
      hits: [hit],
      ...((body as { maxTokens?: number }).maxTokens !== undefined && { omitted: 4, tokens: 90 }),
      semantic: 'unavailable',
      notes: ['A note.'],
    }),
    memoryStore: ({ params }) => ({ ...params, etag, seq: 1 }),
  }),
);

const run = (...args: string[]) => cli.run(['memory', ...args]);

describe('memory search', () => {
  it('passes on every filter', async () => {
    const options =
      '--scope|shared|--scope|coordinator|--tag|x|--exclude|red car|--exclude|y|--type|json|--prefix|p/' +
      '|--thread|t|--since|2026-01|--until|2026-02|--recency|strong|--no-neighbors|--no-semantic|--explain' +
      '|--limit|5|--max-tokens|100|--at|snap:good';
    await run('search', '"two words"', 'mor*', ...options.split('|'));
    await run('search', 'one', '--scope', 'shared');
    expect(cli.double.seen.map(({ body }) => body)).toEqual([
      {
        query: '"two words" mor*',
        scope: ['shared', 'coordinator'],
        tags: ['x'],
        exclude: ['red car', 'y'],
        type: 'json',
        prefix: 'p/',
        thread: 't',
        since: '2026-01',
        until: '2026-02',
        recency: 'strong',
        neighbors: false,
        semantic: false,
        explain: true,
        limit: 5,
        maxTokens: 100,
        at: 'snap:good',
      },
      { query: 'one', scope: 'shared', limit: 20 },
    ]);
  });

  it('prints plain lines in a pipe, and beside them what to know', async () => {
    const { code, stdout, stderr } = await run('search', 'moon', '--explain', '--max-tokens', '100');
    expect([code, stdout]).toEqual([
      0,
      '1.23\tshared\ta/b\tmoon 1.1, neighbors 0.2, recency ×1.05, meaning #3\tthe moon, ดวงจันทร์\n',
    ]);
    expect(stderr).toContain('4 more hits were left out to stay within 100 tokens');
    expect(stderr).toContain('the embedding provider did not answer');
    expect(stderr).toContain('A note.');
    expect(JSON.parse((await run('search', 'moon', '--json')).stdout)).toMatchObject({ hits: [hit] });
  });

  it.each([
    [['--type', 'video']],
    [['--scope', 'nowhere']],
    [['--max-tokens', '3']],
    [['--recency', 'very']],
  ])('refuses %j', async (options) => {
    expect((await run('search', 'x', ...options)).code).toBe(2);
    expect(cli.double.seen).toEqual([]);
  });
});

describe('memory store', () => {
  it('stores into a thread', async () => {
    await run('store', 'a', 'hello', '--thread', 'talk', '--sequence', '7');
    expect(cli.double.seen[0]?.body).toEqual({ value: 'hello', thread: 'talk', sequence: 7 });
  });
});
