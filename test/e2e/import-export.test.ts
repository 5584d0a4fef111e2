/** `memory export` and `memory import` against a real coordinator, and the real knowledge-graph server. */

import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRestClient, type RestClient } from '../../src/cli/rest-client.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

const graphServer = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-memory/dist/index.js', import.meta.url),
);

let coordinator: RunningCoordinator;
let client: RestClient;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'git-memory-formats-'));
  coordinator = await startCoordinator();
  client = createRestClient(coordinator.origin);
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const memory = (...args: string[]) =>
  runCli(['memory', ...args], { env: { GIT_MEMORY_MCP_URL: coordinator.origin }, cwd: folder });

async function json(...args: string[]): Promise<Record<string, unknown>> {
  return JSON.parse((await memory(...args, '--json')).stdout) as Record<string, unknown>;
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), text);
}

interface Position {
  readonly thread?: string;
  readonly sequence?: number;
}

const store = (key: string, value: unknown, tags: string[] = [], scope = 'shared', position: Position = {}) =>
  client.call('memoryStore', { path: { scope, key }, body: { value, tags, ...position } });

/** Everything of a scope, without what a new coordinator gives anew. */
async function contentOf(scope: string): Promise<unknown[]> {
  const { items } = await client.call('memoryList', { query: { scope, limit: 1000 } });
  return Promise.all(
    items.map(async ({ key }) => {
      const memory = await client.call('memoryRetrieve', { path: { scope, key } });
      const { value, tags, thread, sequence, etag } = memory;
      return { key, value, tags, thread, sequence, etag };
    }),
  );
}

const awkward: readonly (readonly [key: string, value: unknown, tags?: string[], position?: Position])[] = [
  ['บันทึก/ข้าวผัด', '# ข้าวผัด\n\nSee [[Jasmine]].\n', ['อาหาร', 'two words']],
  ['Notes/A', 'upper'],
  ['notes/a', 'lower'],
  ['con/aux.md/nul', '---\nnot: ours\n---\n'],
  ['a:b?*', { __proto__x: [1, null, -0.5], key: 'k', value: 2 }, ['x']],
  ['.hidden/.git', ['list']],
  ['x'.repeat(900), 'long'],
  ['empty', ''],
  ['chat/1', 'สวัสดี', [], { thread: 'chat: "ไทย"', sequence: 1 }],
  ['chat/2', { said: 'hello' }, ['x'], { thread: 'chat: "ไทย"', sequence: -2 }],
  ['null', null],
];

describe.each(['folder', 'jsonl'])('%s', (format) => {
  const from = `category:${format}-from`;
  const to = `category:${format}-to`;

  it('gives every memory back, byte for byte, and a second import finds nothing to do', async () => {
    for (const [key, value, tags, position] of awkward) await store(key, value, tags, from, position);
    const target = format === 'folder' ? 'out' : 'out.jsonl';
    const exported = await memory('export', target, '--scope', from);
    expect(exported).toMatchObject({ code: 0, stdout: '' });
    expect(exported.stderr).toContain(`exported ${awkward.length} memories of ${from}`);
    const all = { updated: 0, skipped: 0, failed: 0, failures: [] };
    expect(await json('import', target, '--scope', to, '--dry-run')).toMatchObject({
      ...all,
      created: awkward.length,
      format,
    });
    expect(await contentOf(to)).toEqual([]);
    expect(await json('import', target, '--scope', to)).toMatchObject({ created: awkward.length, same: 0 });
    expect(await json('import', target, '--scope', to)).toMatchObject({ created: 0, same: awkward.length });
    expect(await contentOf(to)).toEqual(await contentOf(from));
  });

  it('writes nothing over what is there unless forced, and leaves nothing beside it', async () => {
    const target = format === 'folder' ? 'busy' : 'busy.jsonl';
    await put(format === 'folder' ? 'busy/mine.txt' : target, 'mine');
    const args = ['export', target, '--scope', from];
    const refused = await memory(...args);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('use --force')]);
    const before = await readdir(folder);
    const failed = await memory(...args, '--force', '--url', 'http://127.0.0.1:1');
    expect(failed.code).toBe(6);
    expect(await readdir(folder)).toEqual(before);
    const forced = await json(...args, '--force');
    expect(forced['exported']).toBe(awkward.length);
    if (format === 'folder') {
      expect(await readFile(join(String(forced['movedTo']), 'mine.txt'), 'utf8')).toBe('mine');
      await rm(String(forced['movedTo']), { recursive: true });
    }
    expect((await readdir(folder)).filter((name) => /\.(tmp|old)$/.test(name))).toEqual([]);
  });
});

describe('import', () => {
  it('reads a vault: hidden files, links and attachments stay out', async () => {
    await put('vault/.obsidian/app.json', '{}');
    await put('vault/Daily/2026-11-21.md', '---\ntags: [daily, งาน]\nmood: good\n---\n[[Rice]]\r\n');
    await put('vault/Rice.md', 'rice');
    await put('vault/photo.png', 'png');
    if (process.platform !== 'win32') await symlink(tmpdir(), join(folder, 'vault', 'link'));
    expect(await json('import', 'vault', '--prefix', 'vault/')).toMatchObject({
      created: 2,
      format: 'folder',
    });
    const found = await client.call('memoryRetrieve', {
      path: { scope: 'shared', key: 'vault/Daily/2026-11-21' },
    });
    expect(found).toMatchObject({ tags: ['daily', 'งาน'], value: expect.stringContaining('mood: good') });
    expect((await json('export', 'tagged', '--tag', 'daily', '--prefix', 'vault/'))['exported']).toBe(1);
    expect(await readFile(join(folder, 'tagged/vault/Daily/2026-11-21.md'), 'utf8')).toBe(found.value);
  });

  it('never writes over another value unasked', async () => {
    await store('mine', 'old');
    await put(
      'new.jsonl',
      '{"key":"mine","value":"new"}\n\n{"key":"a//b","value":1}\n{"key":"other","value":1}\n',
    );
    const strict = await memory('import', 'new.jsonl');
    expect(strict.code).toBe(1);
    expect(strict.stdout).toContain('created\t1\n');
    expect(strict.stderr).toContain('failed new.jsonl:1: mine: has another value');
    expect(strict.stderr).toContain('failed new.jsonl:3: a//b: key: ');
    expect(await json('import', 'new.jsonl', '--skip-existing')).toMatchObject({ skipped: 1, same: 1 });
    expect(await json('import', 'new.jsonl', '--overwrite')).toMatchObject({
      updated: 1,
      same: 1,
      failed: 1,
    });
    const both = await memory('import', 'new.jsonl', '--overwrite', '--skip-existing');
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('cannot be used with')]);
  });

  it.each([
    ['bad.jsonl', '{"key":"first","value":1}\n{"key":\n', 'bad.jsonl:2: is not JSON'],
    ['twice.jsonl', '{"key":"é","value":1}\n{"key":"e\u0301","value":2}\n', 'twice.jsonl:2: has the key'],
    [
      'kg.jsonl',
      '{"type":"entity","name":"x","entityType":"t","observations":[]}\n{"type":"z"}',
      'kg.jsonl:2: ',
    ],
    ['latin.jsonl', Buffer.from([0x7b, 0xe9, 0x7d]), 'latin.jsonl:1: is not UTF-8'],
  ])('stores nothing of %s and names the line', async (name, text, words) => {
    await writeFile(join(folder, name), text);
    const { code, stderr } = await memory('import', name, '--prefix', 'bad/');
    expect([code, stderr]).toEqual([2, expect.stringContaining(`error INVALID_INPUT: ${words}`)]);
    expect((await client.call('memoryList', { query: { prefix: 'bad/' } })).items).toEqual([]);
  });
});

describe('the knowledge graph', () => {
  interface Graph {
    readonly entities: unknown[];
    readonly relations: unknown[];
  }

  /** Lets the real server work on a file. */
  async function withServer<T>(file: string, work: (server: Client) => Promise<T>): Promise<T> {
    const server = new Client({ name: 'test', version: '1' });
    const env = { ...process.env, MEMORY_FILE_PATH: join(folder, file) } as Record<string, string>;
    await server.connect(new StdioClientTransport({ command: process.execPath, args: [graphServer], env }));
    try {
      return await work(server);
    } finally {
      await server.close();
    }
  }

  const readGraph = async (server: Client): Promise<Graph> => {
    const { structuredContent } = await server.callTool({ name: 'read_graph', arguments: {} });
    const { entities, relations } = structuredContent as Graph;
    const sorted = (items: unknown[]) => items.map((item) => JSON.stringify(item)).sort();
    return { entities: sorted(entities), relations: sorted(relations) };
  };

  it('goes from the real server into the memory and back', async () => {
    const entities = ['สมชาย', 'C/C++', '..', 'e\u0301', 'é', 'x'.repeat(2000)].map((name) => ({
      name,
      entityType: 'ทดสอบ',
      observations: [`likes ${name.slice(0, 5)}`, 'two\nlines'],
    }));
    const relations = [
      { from: 'สมชาย', to: 'C/C++', relationType: 'knows' },
      { from: 'สมชาย', to: 'é', relationType: 'knows' },
    ];
    const before = await withServer('graph.jsonl', async (server) => {
      await server.callTool({ name: 'create_entities', arguments: { entities } });
      await server.callTool({ name: 'create_relations', arguments: { relations } });
      return readGraph(server);
    });
    expect(before.entities).toHaveLength(entities.length);
    expect(await json('import', 'graph.jsonl')).toMatchObject({ format: 'knowledge-graph', created: 6 });
    expect(await json('import', 'graph.jsonl')).toMatchObject({ same: 6 });
    const { value } = await client.call('memoryRetrieve', {
      path: { scope: 'shared', key: 'graph/entities/สมชาย' },
    });
    expect(value).toMatchObject({ entityType: 'ทดสอบ', relations: [{ to: 'C/C++' }, { to: 'é' }] });
    await store('graph/entities/no entity', 'text');
    expect(await json('export', 'back.jsonl', '--format', 'knowledge-graph')).toMatchObject({
      exported: 6,
      skipped: 1,
    });
    expect(await withServer('back.jsonl', readGraph)).toEqual(before);
  });
});
