import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../fixtures/free-port.ts';
import { connectV2, textOf } from './connect-client.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { stdioFixture } from './start-fixture.ts';

let port: number;
let coordinator: RunningCoordinator;

beforeAll(async () => {
  port = await freePort();
  coordinator = await startCoordinator({
    config: { instancePorts: true },
    mcpServers: {
      lamp: { ...stdioFixture(), category: 'iot', port },
      editor: { ...stdioFixture(), category: 'devtools', replicas: 2 },
    },
  });
});

afterAll(async () => coordinator?.[Symbol.asyncDispose]());

async function toolNames(url: string, era: 'legacy' | 'modern'): Promise<string[]> {
  const client = await connectV2(url, era);
  const { tools } = await client.listTools();
  await client.close();
  return tools.map((tool) => tool.name);
}

describe.each(['legacy', 'modern'] as const)('mounts for a %s client', (era) => {
  it('/mcp/categories/<category> has the servers of one category, prefixed', async () => {
    const names = await toolNames(`${coordinator.origin}/mcp/categories/iot`, era);
    expect(names).toContain('lamp__echo');
    expect(names.filter((name) => !name.startsWith('lamp__'))).toEqual([]);
  });

  it('/mcp/servers/<id> has one server, its names and URIs untouched', async () => {
    const client = await connectV2(coordinator.serverUrl('lamp'), era);
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toContain('echo');
    const { resources } = await client.listResources();
    expect(resources.map((resource) => resource.uri)).toContain('test://static-text');
    const { contents } = await client.readResource({ uri: 'test://template/7/data' });
    expect(contents[0]).toMatchObject({ uri: 'test://template/7/data' });
    await client.close();
  });

  it("an instance's own port is an alias of its mount", async () => {
    const url = `http://127.0.0.1:${port}/mcp`;
    expect(await toolNames(url, era)).toEqual(await toolNames(coordinator.serverUrl('lamp'), era));
  });
});

describe('the port of an instance', () => {
  it('has the same guards', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example.com', 'content-type': 'application/json' };
      const outgoing = request(
        { port, host: '127.0.0.1', method: 'POST', path: '/mcp', headers },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      outgoing.on('error', reject).end('{}');
    });
    expect(status).toBe(403);
  });
});

describe('replicas', () => {
  it('take calls in turn', async () => {
    const client = await connectV2(coordinator.url, 'modern');
    const pids = new Set<string>();
    for (let call = 0; call < 6; call += 1) {
      pids.add(textOf(await client.callTool({ name: 'editor__process_info', arguments: {} })));
    }
    expect(pids.size).toBe(2);
    await client.close();
  });

  it('each finish a conversation that began with them', async () => {
    const client = await connectV2(coordinator.url, 'modern', {
      elicit: (message) => (message.includes('color') ? { color: 'blue' } : { name: 'Nok' }),
    });
    for (let call = 0; call < 4; call += 1) {
      const result = await client.callTool({
        name: 'editor__test_input_required_result_multi_round',
        arguments: {},
      });
      expect(textOf(result)).toBe('Nok likes blue');
    }
    await client.close();
  });
});
