import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { descendantsOf, whenGone } from './processes.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { type HttpFixture, startHttpFixture, stdioFixture } from './start-fixture.ts';

const mortalPath = fileURLToPath(new URL('../fixtures/failover-server.ts', import.meta.url));
const longName = `a-very-long-name-${'x'.repeat(40)}`;

let fixture: HttpFixture;
let coordinator: RunningCoordinator;

beforeAll(async () => {
  fixture = await startHttpFixture('legacy');
  coordinator = await startCoordinator({
    mcpServers: {
      child: stdioFixture('both'),
      remote: fixture.entry,
      sleeper: { ...stdioFixture('both'), lazy: true },
      broken: { command: process.execPath, args: ['-e', 'process.exit(3)'] },
      [longName]: stdioFixture('both'),
      mortal: { command: process.execPath, args: [mortalPath] },
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
  it('uses every healthy server though one cannot start', async () => {
    const client = await connectV2(coordinator.url, era);
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    expect(names).toEqual(expect.arrayContaining(['child__echo', 'remote__echo']));
    await expect(client.callTool({ name: 'broken__anything', arguments: {} })).rejects.toThrow();
    await client.close();
  });

  it('is served by names of at most 64 characters that differ', async () => {
    const client = await connectV2(coordinator.url, era);
    const { tools } = await client.listTools();
    const long = tools.filter((tool) => tool.name.startsWith(longName.slice(0, 40)));
    expect(new Set(long.map((tool) => tool.name)).size).toBe(long.length);
    expect(long.every((tool) => /^[A-Za-z0-9_-]{1,64}$/.test(tool.name))).toBe(true);
    const echo = long.find((tool) => tool.description?.startsWith('Returns its text'))!;
    const { structuredContent } = await client.callTool({ name: echo.name, arguments: { text: 'short' } });
    expect(structuredContent).toEqual({ text: 'short' });
    await client.close();
  });

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

  it('goes on in its session after its stdio server was killed', async () => {
    const client = await connectV2(coordinator.url, era);
    const pid = await pidOf('child');
    process.kill(pid, 'SIGKILL');
    await whenGone([pid]);
    const call = { name: 'child__echo', arguments: { text: 'again' } };
    const text = await eventually('the server to come back', async () => {
      const result = await client.callTool(call).catch(() => undefined);
      return result && textOf(result);
    });
    expect(text).toBe('again');
    expect(await pidOf('child')).not.toBe(pid);
    await client.close();
  });

  it('notices nothing when the server of its read-only calls is killed again and again', async () => {
    const client = await connectV2(coordinator.url, era);
    const read = async () => textOf(await client.callTool({ name: 'mortal__read', arguments: { ms: 20 } }));
    const pids = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const pid = await read();
      pids.add(pid);
      const underWay = Array.from({ length: 20 }, read);
      process.kill(Number(pid), 'SIGKILL');
      const answers = await Promise.all([...underWay, ...Array.from({ length: 20 }, read)]);
      expect(answers).toHaveLength(40);
    }
    expect(pids.size).toBe(3);
    await client.close();
  });

  it('goes on in its session after its HTTP server forgot the session upstream', async () => {
    const client = await connectV2(coordinator.url, era);
    const call = { name: 'remote__echo', arguments: { text: 'again' } };
    await client.callTool(call);
    const port = Number(new URL(fixture.url).port);
    await fixture[Symbol.asyncDispose]();
    fixture = await startHttpFixture('legacy', { port });
    const text = await eventually('the server to come back', async () => {
      const result = await client.callTool(call).catch(() => undefined);
      return result && textOf(result);
    });
    expect(text).toBe('again');
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
