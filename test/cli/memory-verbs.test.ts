import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRestClient } from '../../src/cli/rest-client.ts';
import { at, commit, etag } from './coordinator-double.ts';
import { startRestDouble } from './rest-double.ts';
import { useCommandLine } from './use-command-line.ts';

const cli = useCommandLine();

const run = (args: string[], input?: string) => cli.run(args, input === undefined ? {} : { input });
const json = async (args: string[]) => JSON.parse((await run([...args, '--json'])).stdout) as unknown;

describe('memory', () => {
  it('stores JSON, text and standard input', async () => {
    await run([
      'memory',
      'store',
      'a',
      '{"n": 1}',
      '--tag',
      'x',
      '--tag',
      'y',
      '--ttl',
      '5',
      '--if-match',
      'absent',
    ]);
    await run(['memory', 'store', 'a', '{"n": 1}', '--text']);
    await run(['memory', 'store', 'a', '--scope', 'category:ai-ml'], 'สวัสดี\n');
    expect(cli.double.seen.map(({ body }) => body)).toEqual([
      { value: { n: 1 }, tags: ['x', 'y'], ttlSeconds: 5, ifMatch: 'absent' },
      { value: '{"n": 1}' },
      { value: 'สวัสดี\n' },
    ]);
    expect(cli.double.seen[2]?.params).toEqual({ scope: 'category:ai-ml', key: 'a' });
  });

  it('shows a whole value that is new without a path', async () => {
    await using other = await startRestDouble({
      memoryDiff: () => ({
        key: 'a',
        scope: 'shared',
        from: etag,
        to: etag,
        kind: 'json',
        changes: [{ op: 'add', path: '', after: { n: 1 } }],
        patch: '',
      }),
    });
    const { stdout } = await cli.sandbox.run(['memory', 'diff', 'a', '2026-11-01', '--url', other.url]);
    expect(stdout).toBe('+ {"n":1}\n');
  });

  it('reads a file and -, and refuses what is no text, or two values', async () => {
    await writeFile(join(cli.sandbox.project, 'note.md'), '# โน้ต\n');
    await writeFile(join(cli.sandbox.project, 'image.bin'), Buffer.from([0x89, 0x50, 0xff, 0x00]));
    await run(['memory', 'store', 'a', '--file', 'note.md']);
    await run(['memory', 'store', 'a', '-'], '{"n": 2}');
    expect(cli.double.seen.map(({ body }) => body)).toEqual([{ value: '# โน้ต\n' }, { value: { n: 2 } }]);
    const binary = await run(['memory', 'store', 'a', '--file', 'image.bin']);
    expect([binary.code, binary.stderr]).toEqual([
      2,
      'error INVALID_INPUT: --file: is not UTF-8 text; encode binary data first, as Base64 for instance\n',
    ]);
    const twice = await run(['memory', 'store', 'a', 'b', '--file', 'note.md']);
    expect([twice.code, twice.stderr]).toEqual([
      2,
      'error INVALID_INPUT: --file: cannot go with a value; give one\n',
    ]);
    expect(cli.double.seen).toHaveLength(2);
  });

  it.each(['โครงการ/อพอลโล', '../../etc/passwd', '.', '..', 'a b?c#d%2F', '/lead//double/', '💾'])(
    'asks for the key %s as it is',
    async (key) => {
      await createRestClient(cli.double.url).call('memoryRetrieve', {
        path: { scope: 'category:ai-ml', key },
      });
      expect(cli.double.seen[0]?.params).toEqual({ scope: 'category:ai-ml', key });
    },
  );

  it('prints the value alone', async () => {
    expect((await run(['memory', 'retrieve', 'text'])).stdout).toBe('ข้อความ\n');
    expect((await run(['memory', 'retrieve', 'json', '--at', '2026-01-01'])).stdout).toBe('{\n  "a": 1\n}\n');
    expect(cli.double.seen[1]?.query).toEqual({ at: '2026-01-01' });
  });

  it('lists, searches, deletes, compares and restores', async () => {
    expect((await run(['memory', 'list', '--tag', 'x'])).stdout).toBe(
      `a/b\t${at}\t${etag.slice(0, 12)}\tx, y\n`,
    );
    expect(cli.double.seen[0]?.query).toEqual({ limit: 500, tags: ['x'] });
    expect((await run(['memory', 'search', 'two', 'words'])).stdout).toBe('0.5\tshared\ta\ttwo words\n');
    expect((await run(['memory', 'delete', 'a'])).stderr).toBe('nothing to delete: a is not in shared\n');
    expect((await run(['memory', 'history', 'a'])).stdout).toBe(`pending\t${at}\tdelete\tme\t\n`);
    expect((await run(['memory', 'diff', 'a', commit])).stdout).toBe('- /a: 1\n+ /a: 2\n');
    expect(await json(['memory', 'restore', 'a', commit])).toMatchObject({ restoredFrom: commit });
  });

  it('restores many, and refuses to guess which', async () => {
    const { stderr } = await run(['memory', 'restore', '--prefix', 'p/', 'snap:good']);
    expect(stderr).toBe(`restored 1, deleted 2, from ${commit}\n`);
    await run(['memory', 'restore', '--all', '2026-01-01', '--scope', 'coordinator']);
    expect(cli.double.seen.map(({ body }) => body)).toEqual([
      { prefix: 'p/', to: 'snap:good' },
      { all: true, to: '2026-01-01', scope: 'coordinator' },
    ]);
    expect((await run(['memory', 'restore', 'key'])).stderr).toBe('error INVALID_INPUT: to: is missing\n');
    expect((await run(['memory', 'restore', 'key', 'to', '--all'])).code).toBe(2);
    expect(cli.double.seen).toHaveLength(2);
  });

  it('stores many, appends and increments', async () => {
    const lines = '{"key": "a", "value": 1}\n\n{"key": "ข", "value": "สอง", "ifMatch": "absent"}\n';
    expect((await run(['memory', 'store-many', '-'], lines)).stderr).toBe('stored 2 in shared\n');
    expect((await run(['memory', 'store-many', '-'], ' [{"key": "a", "value": [1]}]')).code).toBe(0);
    expect((await run(['memory', 'store-many', '-'], '{"key": "a"')).code).toBe(2);
    expect((await run(['memory', 'store-many', '-'], '[{"value": 1}]')).stderr).toMatch(
      /^error INVALID_INPUT: entries: 0\.key: /,
    );
    await run(['memory', 'append', 'log', 'line', '--paragraph']);
    await run(['memory', 'append', 'list', '--item', '{"n": 1}', '--item', 'text']);
    expect((await run(['memory', 'increment', 'n', '--by', '-2.5', '--pointer', '/a'])).stdout).toBe('7\n');
    expect((await run(['memory', 'increment', 'n', '--by', 'x'])).code).toBe(2);
    expect((await run(['memory', 'append', 'list', 'text', '--item', '1'])).code).toBe(2);
    expect(cli.double.seen.map(({ body }) => body)).toEqual([
      {
        entries: [
          { key: 'a', value: 1 },
          { key: 'ข', value: 'สอง', ifMatch: 'absent' },
        ],
      },
      { entries: [{ key: 'a', value: [1] }] },
      { key: 'log', text: 'line', paragraph: true },
      { key: 'list', items: [{ n: 1 }, 'text'] },
      { key: 'n', by: -2.5, pointer: '/a' },
    ]);
  });

  it('makes, lists and deletes snapshots', async () => {
    const { stdout } = await run(['memory', 'snapshot', 'create', 'ก่อน']);
    expect(stdout).toBe(`ก่อน\t${commit.slice(0, 12)}\t${at}\n`);
    await run(['memory', 'snapshot', 'list']);
    expect(cli.double.seen.map(({ body }) => body)).toEqual([
      { action: 'create', name: 'ก่อน' },
      { action: 'list' },
    ]);
    expect((await run(['memory', 'snapshot', 'rename', 'x'])).code).toBe(2);
  });

  it('says what is missing in words, in JSON and by its exit code', async () => {
    const { code, stdout, stderr } = await run(['memory', 'retrieve', 'gone', '--json']);
    expect([code, stderr]).toEqual([4, 'error MEMORY_NOT_FOUND: no memory gone in scope shared\n']);
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'MEMORY_NOT_FOUND',
      status: 404,
      data: { key: 'gone' },
    });
  });
});
