import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRestClient } from '../../src/cli/rest-client.ts';
import { at, commit, etag, startCoordinatorDouble } from './coordinator-double.ts';
import { type RestDouble } from './rest-double.ts';
import { createSandbox, type Sandbox } from './run-command.ts';

let double: RestDouble;
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await createSandbox();
  double = await startCoordinatorDouble();
});

afterAll(async () => {
  await double?.[Symbol.asyncDispose]();
  await sandbox?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  double.seen.length = 0;
});

const run = (args: string[], input?: string) =>
  sandbox.run(args, { env: { GIT_MEMORY_MCP_URL: double.url }, ...(input !== undefined && { input }) });
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
    expect(double.seen.map(({ body }) => body)).toEqual([
      { value: { n: 1 }, tags: ['x', 'y'], ttlSeconds: 5, ifMatch: 'absent' },
      { value: '{"n": 1}' },
      { value: 'สวัสดี\n' },
    ]);
    expect(double.seen[2]?.params).toEqual({ scope: 'category:ai-ml', key: 'a' });
  });

  it.each(['โครงการ/อพอลโล', '../../etc/passwd', '.', '..', 'a b?c#d%2F', '/lead//double/', '💾'])(
    'asks for the key %s as it is',
    async (key) => {
      await createRestClient(double.url).call('memoryRetrieve', { path: { scope: 'category:ai-ml', key } });
      expect(double.seen[0]?.params).toEqual({ scope: 'category:ai-ml', key });
    },
  );

  it('prints the value alone', async () => {
    expect((await run(['memory', 'retrieve', 'text'])).stdout).toBe('ข้อความ\n');
    expect((await run(['memory', 'retrieve', 'json', '--at', '2026-01-01'])).stdout).toBe('{\n  "a": 1\n}\n');
    expect(double.seen[1]?.query).toEqual({ at: '2026-01-01' });
  });

  it('lists, searches, deletes, compares and restores', async () => {
    expect((await run(['memory', 'list', '--tag', 'x'])).stdout).toBe(
      `a/b\t${at}\t${etag.slice(0, 12)}\tx, y\n`,
    );
    expect(double.seen[0]?.query).toEqual({ limit: 500, tags: ['x'] });
    expect((await run(['memory', 'search', 'two', 'words'])).stdout).toBe('0.5\tshared\ta\ttwo words\n');
    expect((await run(['memory', 'delete', 'a'])).stderr).toBe('nothing to delete: a is not in shared\n');
    expect((await run(['memory', 'history', 'a'])).stdout).toBe(`pending\t${at}\tdelete\tme\t\n`);
    expect((await run(['memory', 'diff', 'a', commit])).stdout).toBe('- /a: 1\n+ /a: 2\n');
    expect(await json(['memory', 'restore', 'a', commit])).toMatchObject({ restoredFrom: commit });
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
