/**
 * What users of other gateways complain about, where sessions are concerned, as acceptance cases for this one. The others
 * are in `gateway-complaints.test.ts`. What happens to calls under load is in `failover.test.ts`, number 11 in
 * `test/e2e/reload.test.ts`, and who shares a connection in `isolation.test.ts`.
 */

import { rm, writeFile } from 'node:fs/promises';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectV2, textOf } from '../e2e/connect-client.ts';
import { eventually } from '../e2e/eventually.ts';
import { whenGone } from '../e2e/processes.ts';
import { type RunningCoordinator, startCoordinator } from '../e2e/start-coordinator.ts';
import { type HttpFixture, startHttpFixture, stdioFixture } from '../e2e/start-fixture.ts';

const path = (name: string) => fileURLToPath(new URL(`../fixtures/${name}.ts`, import.meta.url));
const node = (name: string, more: object = {}) => ({
  command: process.execPath,
  args: [path(name)],
  ...more,
});

const longName = `a-very-long-name-${'x'.repeat(40)}`;

let replicas: readonly [HttpFixture, HttpFixture];
let balancer: Server;
/** Which replica the load balancer sends to. */
let chosen = 0;
let coordinator: RunningCoordinator;
const secret = join(tmpdir(), `gm-secret-${process.pid}`);

/** A load balancer without affinity: it does not know of sessions. */
function startBalancer(): Promise<Server> {
  const server = createServer((incoming, response) => {
    const { port } = new URL(replicas[chosen]!.url);
    const { url, method, headers } = incoming;
    const outgoing = forward({ host: '127.0.0.1', port, path: url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

beforeAll(async () => {
  replicas = await Promise.all([startHttpFixture('legacy'), startHttpFixture('legacy')]);
  balancer = await startBalancer();
  await writeFile(secret, 'first');
  coordinator = await startCoordinator({
    config: { watchConfig: false },
    mcpServers: {
      child: stdioFixture('both'),
      balanced: { url: `http://127.0.0.1:${(balancer.address() as AddressInfo).port}/mcp` },
      broken: { command: process.execPath, args: ['-e', 'process.exit(3)'] },
      [longName]: stdioFixture('both'),
      mortal: node('failover-server'),
      trio: node('failover-server', { replicas: 3 }),
      own: node('session-server', { isolation: 'per-session' }),
      shared: node('session-server'),
      token: node('session-server', { env: { TOKEN: { file: secret } } }),
    },
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  balancer?.closeAllConnections();
  balancer?.close();
  await Promise.all((replicas ?? []).map((replica) => replica[Symbol.asyncDispose]()));
  await rm(secret, { force: true });
});

describe.each(['legacy', 'modern'] as const)('complaints of a %s client', (era) => {
  it('3. "upstream restarted → Session not found": goes on in its session, over stdio', async () => {
    const client = await connectV2(coordinator.url, era);
    const pid = async () => textOf(await client.callTool({ name: 'mortal__read', arguments: {} }));
    const first = await pid();
    process.kill(Number(first), 'SIGKILL');
    await whenGone([Number(first)]);
    expect(await pid()).not.toBe(first);
    await client.close();
  });

  it('3. "upstream restarted → Session not found": goes on in its session, over HTTP', async () => {
    const client = await connectV2(coordinator.url, era);
    const call = { name: 'balanced__echo', arguments: { text: 'again' } };
    await client.callTool(call);
    const port = Number(new URL(replicas[chosen]!.url).port);
    await replicas[chosen]![Symbol.asyncDispose]();
    const fresh = await startHttpFixture('legacy', { port });
    replicas = chosen === 0 ? [fresh, replicas[1]] : [replicas[0], fresh];
    const text = await eventually('the server to come back', async () => {
      const result = await client.callTool(call).catch(() => undefined);
      return result && textOf(result);
    });
    expect(text).toBe('again');
    await client.close();
  });

  it('4. "one dead upstream leaves an aggregated session half alive": the others work as ever', async () => {
    const client = await connectV2(coordinator.url, era);
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    expect(names).toEqual(expect.arrayContaining(['child__echo', 'balanced__echo']));
    await expect(client.callTool({ name: 'broken__anything', arguments: {} })).rejects.toThrow();
    for (const server of ['child', 'balanced']) {
      const result = await client.callTool({ name: `${server}__echo`, arguments: { text: server } });
      expect(textOf(result)).toBe(server);
    }
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(names);
    await client.close();
  });

  it('5. "a replica that does not know the session": a load balancer without affinity is no matter', async () => {
    const client = await connectV2(coordinator.url, era);
    for (let n = 0; n < 6; n += 1) {
      chosen = n % 2;
      const call = { name: 'balanced__echo', arguments: { text: `call ${n}` } };
      expect(textOf(await client.callTool(call))).toBe(`call ${n}`);
    }
    await client.close();
  });

  it('5. "a replica that does not know the session": calls go round the replicas of one session', async () => {
    const client = await connectV2(coordinator.url, era);
    const pids = new Set<string>();
    for (let n = 0; n < 12; n += 1)
      pids.add(textOf(await client.callTool({ name: 'trio__read', arguments: {} })));
    expect(pids.size).toBe(3);
    await client.close();
  });

  it('7. "a session killed by a token refresh; tools vanish": a new secret ends nothing', async () => {
    const client = await connectV2(coordinator.url, era);
    const call = async () => textOf(await client.callTool({ name: 'token__pid', arguments: {} }));
    const tools = async () =>
      (await client.listTools(undefined, { cacheMode: 'bypass' })).tools.map(({ name }) => name);
    const [pid, before] = [await call(), await tools()];
    expect(before).toContain('token__pid');
    await writeFile(secret, `refreshed for ${era}`);
    const reload = fetch(`${coordinator.origin}/api/v1/config/reload`, { method: 'POST' });
    const over = new AbortController();
    void reload.then(() => over.abort());
    while (!over.signal.aborted) {
      expect(await tools()).toEqual(before);
      await call();
    }
    expect(await (await reload).json()).toMatchObject({ replaced: ['token'] });
    expect(await call()).not.toBe(pid);
    await client.close();
  });

  it('12. "lists cut off at the first page": all pages of a server are in the list', async () => {
    const client = await connectV2(coordinator.url, era);
    const { tools } = await client.listTools();
    const direct = await connectV2(coordinator.serverUrl('child'), era);
    const own = (await direct.listTools()).tools.length;
    // The fixture gives four a page.
    expect(own).toBeGreaterThan(4);
    expect(tools.filter(({ name }) => name.startsWith('child__'))).toHaveLength(own);
    await Promise.all([client.close(), direct.close()]);
  });

  it('12. "names over 64 characters rejected by clients": names are short, differ, and are called', async () => {
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

  it('13. "requests dropped in silence while a session is rebuilt": each call is answered', async () => {
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
});

describe('6. "a shared upstream session that leaks state between users"', () => {
  const open = (server: string) =>
    Promise.all(['one', 'two'].map(() => connectV2(coordinator.serverUrl(server), 'legacy')));

  it('is not there with isolation per session', async () => {
    const [one, two] = await open('own');
    await one!.callTool({ name: 'set', arguments: { text: 'of one' } });
    expect(textOf(await two!.callTool({ name: 'get', arguments: {} }))).toBe('');
    expect(textOf(await one!.callTool({ name: 'get', arguments: {} }))).toBe('of one');
    const shown = (await (await fetch(`${coordinator.origin}/api/v1/servers/own`)).json()) as object;
    expect(shown).toMatchObject({ isolation: 'per-session', sessions: 2, state: 'ready' });
    await Promise.all([one!.close(), two!.close()]);
  });

  it('is what sharing means, which is the default', async () => {
    const [one, two] = await open('shared');
    await one!.callTool({ name: 'set', arguments: { text: 'of one' } });
    expect(textOf(await two!.callTool({ name: 'get', arguments: {} }))).toBe('of one');
    const shown = (await (await fetch(`${coordinator.origin}/api/v1/servers/shared`)).json()) as object;
    expect(shown).not.toHaveProperty('sessions');
    await Promise.all([one!.close(), two!.close()]);
  });
});
