import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, Tool } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answers, type ClientEra, connectStdio, connectV2 } from './connect-client.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

const everyAnswer: Answers = { elicit: () => ({}), sample: () => 'ok', roots: [{ uri: 'file:///work' }] };

function scriptOf(name: string): string {
  return fileURLToPath(new URL(`../../node_modules/${name}/dist/index.js`, import.meta.url));
}

interface RealServer {
  readonly args: string[];
  /** The environment of the server that is called directly. */
  readonly env: Record<string, string>;
  /** The environment of the one behind the gateway, where it keeps its own files. */
  readonly gatewayEnv: Record<string, string>;
  /** What the client can answer; a server may list more tools to a client that can do more. */
  readonly answers: Answers;
  /** Calls in order; each must give the same result on both ways. */
  readonly calls: readonly (readonly [name: string, args: Record<string, unknown>])[];
}

let folder: string;
let coordinator: RunningCoordinator;
const servers: Record<string, RealServer> = {};

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'git-memory-real-')));
  const files = join(folder, 'files');
  await mkdir(files);
  await writeFile(join(files, 'ไทย.txt'), 'สวัสดี\nbye\n');
  servers['everything'] = {
    args: [scriptOf('@modelcontextprotocol/server-everything')],
    env: {},
    gatewayEnv: {},
    answers: everyAnswer,
    calls: [
      ['echo', { message: 'สวัสดี 🐘' }],
      ['get-sum', { a: 2, b: 40 }],
      ['get-tiny-image', {}],
      ['get-annotated-message', { messageType: 'error', includeImage: true }],
      ['get-structured-content', { location: 'Chicago' }],
      ['get-sum', { a: 'two' }],
    ],
  };
  servers['filesystem'] = {
    args: [scriptOf('@modelcontextprotocol/server-filesystem'), files],
    env: {},
    gatewayEnv: {},
    // It takes a client's roots as its allowed folders, so one that several clients share gets none.
    answers: {},
    calls: [
      ['list_allowed_directories', {}],
      ['write_file', { path: join(files, 'new.txt'), content: 'one\ntwo\n' }],
      ['read_text_file', { path: join(files, 'ไทย.txt') }],
      ['list_directory', { path: files }],
      ['read_text_file', { path: join(folder, 'outside.txt') }],
    ],
  };
  const entities = [{ name: 'มาลี', entityType: 'person', observations: ['likes tea'] }];
  servers['memory'] = {
    args: [scriptOf('@modelcontextprotocol/server-memory')],
    env: { MEMORY_FILE_PATH: join(folder, 'direct.jsonl') },
    gatewayEnv: { MEMORY_FILE_PATH: join(folder, 'gateway.jsonl') },
    answers: everyAnswer,
    calls: [
      ['create_entities', { entities }],
      ['search_nodes', { query: 'tea' }],
      ['read_graph', {}],
      ['add_observations', { observations: [{ entityName: 'nobody', contents: ['x'] }] }],
    ],
  };
  servers['context7'] = {
    args: [scriptOf('@upstash/context7-mcp')],
    env: {},
    gatewayEnv: {},
    answers: everyAnswer,
    // Its other calls need the network.
    calls: [['query-docs', { libraryId: 42 }]],
  };
  coordinator = await startCoordinator({
    mcpServers: Object.fromEntries(
      Object.entries(servers).map(([name, { args, gatewayEnv }]) => [
        name,
        { command: process.execPath, args, env: gatewayEnv },
      ]),
    ),
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** What a call came to, in a form that can be compared. */
async function outcomeOf(client: Client, name: string, args: Record<string, unknown>): Promise<unknown> {
  try {
    const { _meta, ...result } = await client.callTool({ name, arguments: args });
    return result;
  } catch (error) {
    const { code } = error as { code?: number };
    return { code };
  }
}

/** Equal but for its name, and for `execution`, which is a word of the legacy era only. */
function asListed(name: string, { execution, ...tool }: Tool, era: ClientEra): Tool {
  return { ...tool, name, ...(era === 'legacy' && execution && { execution }) };
}

describe.each(['everything', 'filesystem', 'memory', 'context7'])('%s behind the gateway', (server) => {
  it.each<ClientEra>(['legacy', 'modern'])('lists the same tools to a %s client', async (era) => {
    const { args, env, answers } = servers[server]!;
    const direct = await connectStdio(process.execPath, args, 'auto', env, answers);
    const through = await connectV2(coordinator.url, era, answers);
    try {
      const expected = (await direct.listTools()).tools;
      const listed = new Map((await through.listTools()).tools.map((tool) => [tool.name, tool]));
      expect(expected.length).toBeGreaterThan(0);
      const found = expected.map((tool) => listed.get(`${server}__${tool.name}`));
      expect(found).toEqual(expected.map((tool) => asListed(`${server}__${tool.name}`, tool, era)));
    } finally {
      await direct.close();
      await through.close();
    }
  });

  it('gives the same results', async () => {
    const { args, env, answers, calls } = servers[server]!;
    const direct = await connectStdio(process.execPath, args, 'auto', env, answers);
    const through = await connectV2(coordinator.url, 'auto', answers);
    const single = await connectV2(coordinator.serverUrl(server), 'legacy', answers);
    try {
      for (const [name, input] of calls) {
        const expected = await outcomeOf(direct, name, input);
        const outcome = await outcomeOf(through, `${server}__${name}`, input);
        expect({ name, outcome }).toEqual({ name, outcome: expected });
      }
      // Reading twice changes nothing, so the plain names of the single-server mount can be compared as well.
      const [name, input] = calls.at(-1)!;
      expect(await outcomeOf(single, name, input)).toEqual(await outcomeOf(direct, name, input));
    } finally {
      await Promise.all([direct.close(), through.close(), single.close()]);
    }
  });
});
