/** The example plugins behind a real coordinator. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectV2 } from './connect-client.ts';
import { startCoordinator } from './start-coordinator.ts';

const example = (name: string) => join(import.meta.dirname, '../../examples', name);
const dice = example('plugin-dice');

it('serves the tools of a plugin like those of a built-in server, with its settings', async () => {
  await using coordinator = await startCoordinator({
    config: { plugins: [dice], builtIn: { dice: { settings: { maxDice: 2 } } } },
    mcpServers: { more: { builtin: 'dice', settings: { maxDice: 3 } } },
  });
  const client = await connectV2(coordinator.url, 'modern');
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).sort()).toEqual(['dice__roll', 'more__roll']);
  const { structuredContent } = await client.callTool({ name: 'dice__roll', arguments: { dice: 2 } });
  const { rolled, sum } = structuredContent as { rolled: number[]; sum: number };
  expect(rolled).toHaveLength(2);
  expect(sum).toBe(rolled[0]! + rolled[1]!);
  const refused = await client.callTool({ name: 'dice__roll', arguments: { dice: 3 } });
  expect(refused).toMatchObject({ isError: true });
  await client.close();
});

it('chooses by the policy of a plugin, and exports every call up to its stop', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'exported-'));
  try {
    const file = join(dir, 'calls.jsonl');
    const coordinator = await startCoordinator({
      config: {
        plugins: [example('plugin-policy'), example('plugin-exporter')],
        exporters: [
          { use: 'jsonl', settings: { file }, intervalMs: 100 },
          { use: 'slow-calls/console', settings: { overMs: 0 } },
        ],
      },
      mcpServers: {
        stays: {
          command: process.execPath,
          args: [join(import.meta.dirname, '../fixtures/upstream-raw.ts'), 'environment'],
          era: 'legacy',
          replicas: 3,
          selection: { policy: 'stay/put' },
        },
        lost: { builtin: 'sqlite', selection: { policy: 'no/where' } },
      },
    });
    await using _ = coordinator;
    expect(coordinator.output()).toContain('\\"no/where\\" is not one of round-robin');
    const client = await connectV2(coordinator.serverUrl('stays'), 'modern');
    for (let n = 0; n < 6; n += 1) await client.callTool({ name: 'any', arguments: {} });
    await client.close();
    const inspected = await fetch(`${coordinator.origin}/api/v1/servers/stays`);
    const { replicaStates } = (await inspected.json()) as { replicaStates: { latencyMs: number }[] };
    // All calls stayed with one.
    expect(replicaStates.filter(({ latencyMs }) => latencyMs > 0)).toHaveLength(1);
    expect(await (await fetch(`${coordinator.origin}/metrics`)).text()).toContain(
      'git_memory_mcp_call_duration_seconds_count{server="stays",outcome="ok"} 6',
    );
    // Before the second in which calls are gathered is over.
    expect(await coordinator.stop()).toBe(0);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const exported = lines.map((line) => JSON.parse(line) as { type: string; server?: string });
    expect(exported.filter(({ type, server }) => type === 'call' && server === 'stays')).toHaveLength(6);
    expect(coordinator.output()).toMatch(/slow: stays took \d+ ms for any/);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

it('does not start without a plugin that the config names', async () => {
  const starting = startCoordinator({ config: { plugins: ['no-such-plugin'] } });
  await expect(starting).rejects.toThrow(/PLUGIN_FAILED.*npm install/s);
});
