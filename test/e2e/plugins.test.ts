/** The example plugin behind a real coordinator. */

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectV2 } from './connect-client.ts';
import { startCoordinator } from './start-coordinator.ts';

const dice = join(import.meta.dirname, '../../examples/plugin-dice');

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

it('does not start without a plugin that the config names', async () => {
  const starting = startCoordinator({ config: { plugins: ['no-such-plugin'] } });
  await expect(starting).rejects.toThrow(/PLUGIN_FAILED.*npm install/s);
});
