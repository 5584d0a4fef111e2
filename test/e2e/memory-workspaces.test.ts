import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectV2 } from './connect-client.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let coordinator: RunningCoordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({ servers: 8 });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
});

it('a client tries changes aside, follows links in the memory, and merges', async () => {
  const client = await connectV2(coordinator.url, 'modern');
  const call = async (name: string, args: Record<string, unknown>) => {
    const result = await client.callTool({ name: `memory_${name}`, arguments: args });
    return { isError: result.isError === true, ...(result.structuredContent as Record<string, unknown>) };
  };
  await call('store', { key: 'plans/moon', value: 'see [[people/ada]]' });
  expect((await call('workspace', { action: 'create', name: 'try' })).isError).toBe(false);
  await call('store', { key: 'people/ada', value: '# Ada Lovelace', workspace: 'try' });
  expect(await call('links', { key: 'plans/moon' })).toMatchObject({
    nodes: [],
    missing: [{ key: 'people/ada' }],
  });
  const inside = await fetch(`${coordinator.origin}/api/v1/memory/shared/people%2Fada?workspace=try`);
  expect(await inside.json()).toMatchObject({ value: '# Ada Lovelace' });
  expect((await fetch(`${coordinator.origin}/api/v1/memory/shared/people%2Fada`)).status).toBe(404);
  expect(await call('workspace', { action: 'drop', name: 'try' })).toMatchObject({ isError: true });
  expect(await call('workspace', { action: 'merge', name: 'try' })).toMatchObject({
    merged: { conflicts: [] },
  });
  expect(await call('links', { key: 'plans/moon' })).toMatchObject({
    nodes: [{ key: 'people/ada', title: 'Ada Lovelace' }],
    missing: [],
  });
  await client.close();
});
