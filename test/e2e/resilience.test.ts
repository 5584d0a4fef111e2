import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { descendantsOf } from './processes.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { type HttpFixture, startHttpFixture, stdioFixture } from './start-fixture.ts';

let fixture: HttpFixture;
let coordinator: RunningCoordinator;

beforeAll(async () => {
  fixture = await startHttpFixture('legacy');
  coordinator = await startCoordinator({
    mcpServers: {
      child: stdioFixture('both'),
      remote: fixture.entry,
      sleeper: { ...stdioFixture('both'), lazy: true },
    },
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await fixture?.[Symbol.asyncDispose]();
});

async function pidOf(upstream: string): Promise<number> {
  const client = await connectV2(coordinator.serverUrl(upstream), 'modern');
  const { structuredContent } = await client.callTool({ name: 'process_info', arguments: {} });
  await client.close();
  return (structuredContent as { pid: number }).pid;
}

async function stateOf(id: string): Promise<string> {
  const response = await fetch(`${coordinator.origin}/api/v1/servers/${id}`);
  return ((await response.json()) as { state: string }).state;
}

describe.each(['legacy', 'modern'] as const)('a %s client', (era) => {
  it('gets each of many answers for its own call', async () => {
    const client = await connectV2(coordinator.url, era);
    const texts = Array.from({ length: 120 }, (_, index) => `${era}-${index}`);
    const answers = await Promise.all(
      texts.map((text, index) =>
        client.callTool({ name: `${index % 2 === 0 ? 'child' : 'remote'}__echo`, arguments: { text } }),
      ),
    );
    expect(answers.map(textOf)).toEqual(texts);
    await client.close();
  });
});

describe('processes', () => {
  it('do not grow with client sessions', async () => {
    await pidOf('child');
    const before = await descendantsOf(coordinator.pid);
    for (let round = 0; round < 10; round += 1) {
      const clients = await Promise.all(
        Array.from({ length: 8 }, (_, index) => connectV2(coordinator.url, index % 2 ? 'legacy' : 'modern')),
      );
      await Promise.all(
        clients.map((client) => client.callTool({ name: 'child__echo', arguments: { text: 'x' } })),
      );
      await Promise.all(clients.map((client) => client.close()));
    }
    const after = await descendantsOf(coordinator.pid);
    expect(after.length).toBeLessThanOrEqual(before.length + 1);
  });

  it('are not started by listing, and are by a call', async () => {
    const client = await connectV2(coordinator.url, 'modern');
    await client.listTools();
    await client.listTools(undefined, { cacheMode: 'bypass' });
    const isUp = (state: string): boolean => state === 'ready' || state === 'starting';
    expect(isUp(await stateOf('sleeper'))).toBe(false);
    const result = await client.callTool({ name: 'sleeper__echo', arguments: { text: 'awake' } });
    expect(textOf(result)).toBe('awake');
    expect(isUp(await stateOf('sleeper'))).toBe(true);
    await client.close();
  });
});

describe('a client that leaves', () => {
  it('ends its call upstream', async () => {
    const count = async (): Promise<number> => {
      const client = await connectV2(coordinator.serverUrl('child'), 'modern');
      const { structuredContent } = await client.callTool({ name: 'cancellations', arguments: {} });
      await client.close();
      return (structuredContent as { count: number }).count;
    };
    const before = await count();
    const controller = new AbortController();
    const response = await fetch(coordinator.serverUrl('child'), {
      method: 'POST',
      signal: controller.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'slow',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'slow',
          arguments: {},
          _meta: {
            progressToken: 'p',
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    });
    // The first event is the progress that says the upstream has begun.
    await response.body?.getReader().read();
    controller.abort();
    const after = await eventually('the cancellation', async () => {
      const now = await count();
      return now > before ? now : undefined;
    });
    expect(after).toBe(before + 1);
  });
});
