/** A changed config is taken while calls are in flight, with real child processes. */

import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { ReloadReport } from '../../src/contract/rest/config-routes.ts';
import type { ServerItem } from '../../src/contract/rest/server-routes.ts';
import { upstreamPath } from '../fixtures/upstream-process.ts';
import { connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { whenGone } from './processes.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

const upstream = (env: Record<string, unknown> = {}) => ({
  command: process.execPath,
  args: [upstreamPath('upstream-v1'), 'stdio'],
  env,
});

async function api<T>(
  coordinator: RunningCoordinator,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await fetch(`${coordinator.origin}/api/v1${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const answer = (await response.json()) as T;
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

async function configFile(coordinator: RunningCoordinator): Promise<string> {
  const status = await api<{ config: { file: string } }>(coordinator, 'GET', '/status');
  return status.config.file;
}

const pidOf = async (coordinator: RunningCoordinator, id: string): Promise<number | undefined> =>
  (await api<ServerItem>(coordinator, 'GET', `/servers/${id}`)).pid;

async function call(
  coordinator: RunningCoordinator,
  tool: string,
  args: Record<string, unknown>,
): Promise<string> {
  const result = await api<{ content: { text: string }[] }>(coordinator, 'POST', '/tools/call', {
    name: tool,
    arguments: args,
  });
  return result.content[0]!.text;
}

it('loses no call while a server is replaced again and again, and leaves the others alone', async () => {
  await using coordinator = await startCoordinator({
    config: { watchConfig: false },
    mcpServers: { changing: upstream(), steady: upstream() },
  });
  const file = await configFile(coordinator);
  const steady = await pidOf(coordinator, 'steady');
  const first = await pidOf(coordinator, 'changing');
  // A session on the server itself must outlive the process behind it.
  const client = await connectV2(coordinator.serverUrl('changing'), 'legacy');
  const over = new AbortController();
  let calls = 0;
  const caller = async (n: number): Promise<void> => {
    for (let i = 0; !over.signal.aborted; i += 1) {
      const text = `${n}-${i}`;
      const wanted =
        n === 0
          ? client.callTool({ name: 'delay', arguments: { ms: 20, n: text } }).then(textOf)
          : call(coordinator, 'changing__delay', { ms: 10 * n, n: text });
      expect(await wanted).toBe(text);
      calls += 1;
    }
  };
  const callers = Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(caller));
  for (let round = 1; round <= 3; round += 1) {
    await writeFile(
      file,
      JSON.stringify({ mcpServers: { changing: upstream({ ROUND: round }), steady: upstream() } }),
    );
    const report = await api<ReloadReport>(coordinator, 'POST', '/config/reload');
    expect(report).toMatchObject({ replaced: ['changing'], added: [], removed: [], failed: [] });
    // Its callers have been there with the new one before the next change.
    const before = calls;
    await eventually('more calls', () => (calls >= before + 20 ? true : undefined));
  }
  over.abort();
  await callers;
  await client.close();
  expect(await pidOf(coordinator, 'steady')).toBe(steady);
  expect(await pidOf(coordinator, 'changing')).not.toBe(first);
  await whenGone([first!]);
  const { items } = await api<{ items: ServerItem[] }>(coordinator, 'GET', '/servers');
  expect(items.map(({ errors }) => errors)).toEqual([0, 0]);
});

it('finishes the calls of a server that is taken out, and lists it no more at once', async () => {
  await using coordinator = await startCoordinator({
    config: { watchConfig: false },
    mcpServers: { going: upstream(), staying: upstream() },
  });
  const pid = await pidOf(coordinator, 'going');
  const slow = call(coordinator, 'going__delay', { ms: 1000, n: 'done' });
  await eventually('the call', async () =>
    (await api<ServerItem>(coordinator, 'GET', '/servers/going')).calls > 0 ? true : undefined,
  );
  await writeFile(await configFile(coordinator), JSON.stringify({ mcpServers: { staying: upstream() } }));
  expect(await api<ReloadReport>(coordinator, 'POST', '/config/reload')).toMatchObject({
    removed: ['going'],
  });
  await expect(call(coordinator, 'going__echo', { text: 'x' })).rejects.toThrow(/TOOL_NOT_FOUND/);
  expect(await slow).toBe('done');
  await whenGone([pid!]);
});

it('11. "a reload that does not take": follows the file, and a file that is not valid changes nothing and says why', async () => {
  await using coordinator = await startCoordinator({ mcpServers: { one: upstream() } });
  const file = await configFile(coordinator);
  const pid = await pidOf(coordinator, 'one');
  await writeFile(file, '{"mcpServers": {"one": {"comand": "x"}}}');
  const problem = await eventually('the problem', async () => {
    const { config } = await api<{ config: { problem?: string } }>(coordinator, 'GET', '/status');
    return config.problem;
  });
  expect(problem).toContain('did you mean "command"');
  expect(await pidOf(coordinator, 'one')).toBe(pid);

  await writeFile(file, JSON.stringify({ port: 1, mcpServers: { one: upstream(), two: upstream() } }));
  await eventually('the new server', async () =>
    (await readFile(file, 'utf8')) !== '' && (await pidOf(coordinator, 'two').catch(() => undefined))
      ? true
      : undefined,
  );
  const { config } = await api<{ config: unknown }>(coordinator, 'GET', '/status');
  expect(config).toMatchObject({ needsRestart: [], watched: true });
  expect(config).not.toHaveProperty('problem');
  expect(await pidOf(coordinator, 'one')).toBe(pid);
});

it('11. "a stale secret in a long-lived child": takes a secret that has changed, and keeps the old one where the new one cannot start', async () => {
  await using coordinator = await startCoordinator({
    config: { watchConfig: false },
    mcpServers: { one: upstream() },
  });
  const file = await configFile(coordinator);
  const pid = await pidOf(coordinator, 'one');
  await writeFile(file, JSON.stringify({ mcpServers: { one: { command: 'no-such-program-anywhere' } } }));
  const refused = await api<ReloadReport>(coordinator, 'POST', '/config/reload');
  expect(refused).toMatchObject({ replaced: [], failed: [{ id: 'one' }] });
  expect(await call(coordinator, 'one__echo', { text: 'still here' })).toBe('still here');
  expect(await pidOf(coordinator, 'one')).toBe(pid);

  const secret = `${file}.secret`;
  const config = { mcpServers: { one: upstream({ TOKEN: { file: secret } }) } };
  await writeFile(file, JSON.stringify(config));
  await writeFile(secret, 'first');
  expect(await api<ReloadReport>(coordinator, 'POST', '/config/reload')).toMatchObject({ replaced: ['one'] });
  expect(await api<ReloadReport>(coordinator, 'POST', '/config/reload')).toMatchObject({ replaced: [] });
  await writeFile(secret, 'hunter2');
  expect(await api<ReloadReport>(coordinator, 'POST', '/config/reload')).toMatchObject({ replaced: ['one'] });
  const { changes } = await api<{ changes: unknown[] }>(coordinator, 'GET', '/server-changes');
  expect(changes.at(-1)).toMatchObject({ action: 'refused', server: 'one', source: 'config' });
  expect(JSON.stringify(changes) + coordinator.output()).not.toContain('hunter2');
});
