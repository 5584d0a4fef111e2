import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { at, etag } from './coordinator-double.ts';
import { startRestDouble } from './rest-double.ts';
import { useCommandLine } from './use-command-line.ts';

const side = (value: unknown, actor: string) => ({ etag, value, tags: [], actor, at });
const conflict = {
  id: '0123456789abcdef',
  key: 'โน้ต/a',
  scope: 'shared',
  path: 'shared/a.json',
  kind: 'value',
  fields: ['/status', '/n'],
  winner: side({ status: 'new' }, 'bob'),
  loser: side({ status: 'old' }, 'ann'),
  base: null,
  current: etag,
} as const;
const file = {
  ...conflict,
  id: 'f'.repeat(16),
  key: undefined,
  scope: undefined,
  path: 'README.md',
  kind: 'file',
};

const cli = useCommandLine(() =>
  startRestDouble({
    memoryConflicts: ({ body }) =>
      (body as { cursor?: string }).cursor === undefined
        ? { conflicts: [conflict], nextCursor: 'next' }
        : { conflicts: [file] },
    memoryResolve: ({ body }) => ({
      key: (body as { key: string }).key,
      scope: 'shared',
      etag: (body as { use?: string }).use === 'loser' ? null : etag,
      seq: 7,
      resolved: 2,
    }),
  }),
);

const run = (...args: string[]) => cli.run(['memory', ...args]);

describe('memory conflicts', () => {
  it('lists all pages, tab-separated in a pipe and whole as JSON', async () => {
    const { stdout, code } = await run('conflicts', '--prefix', 'โน้ต/');
    expect(code).toBe(0);
    expect(stdout.split('\n').filter(Boolean)).toEqual([
      '0123456789abcdef\tshared\tโน้ต/a\tvalue\t/status, /n\tbob\tann',
      `${'f'.repeat(16)}\t\tREADME.md\tfile\t/status, /n\tbob\tann`,
    ]);
    expect(cli.double.seen.map(({ body }) => body)).toEqual([
      { prefix: 'โน้ต/', limit: 20 },
      { prefix: 'โน้ต/', limit: 20, cursor: 'next' },
    ]);
    const all = JSON.parse((await run('conflicts', '--limit', '1', '--json')).stdout) as unknown;
    expect(all).toEqual({ conflicts: [conflict] });
  });
});

describe('memory resolve', () => {
  it('sends a version, a value or a file', async () => {
    await writeFile(join(cli.sandbox.project, 'note.md'), '# note\n');
    const { stderr, code } = await run(
      'resolve',
      'a',
      '--use',
      'loser',
      '--id',
      conflict.id,
      '--if-match',
      etag,
    );
    expect([code, stderr]).toEqual([0, 'resolved 2 of a in shared (deleted)\n']);
    await run('resolve', 'a', '{"n": 1}');
    await run('resolve', 'a', '{"n": 1}', '--text', '--scope', 'coordinator');
    const { stdout } = await run('resolve', 'a', '--file', 'note.md', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ key: 'a', resolved: 2, etag });
    expect(cli.double.seen.map(({ body }) => body)).toEqual([
      { key: 'a', use: 'loser', id: conflict.id, ifMatch: etag },
      { key: 'a', value: { n: 1 } },
      { key: 'a', value: '{"n": 1}', scope: 'coordinator' },
      { key: 'a', value: '# note\n' },
    ]);
  });

  it('refuses no decision, two of them, and what is none', async () => {
    for (const args of [[], ['1', '--use', 'winner'], ['--use', 'mine']]) {
      expect((await run('resolve', 'a', ...args)).code).toBe(2);
    }
    expect(cli.double.seen).toEqual([]);
  });
});
