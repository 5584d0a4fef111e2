import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectV2, textOf } from './connect-client.ts';
import { startCoordinator } from './start-coordinator.ts';

it('bundles and search mode work on a real coordinator, and added bundles outlive it', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'git-memory-bundles-'));
  const config = { bundles: { notes: { tools: ['memory_store', 'memory_retrieve'] } } };
  try {
    {
      await using coordinator = await startCoordinator({ servers: 8, dataDir, config });
      const search = await connectV2(`${coordinator.url}?tools=search`, 'modern');
      const listed = (await search.listTools()).tools.map(({ name }) => name);
      expect(listed).toHaveLength(8);
      const found = await search.callTool({ name: 'find_tools', arguments: { query: 'blame a line' } });
      expect(textOf(found)).toContain('git-operations__git_blame');
      const stored = await search.callTool({
        name: 'call_tool',
        arguments: { name: 'memory_append', arguments: { key: 'log', text: 'one' } },
      });
      expect(stored.isError).not.toBe(true);
      await search.close();
      const body = { tools: [{ tool: 'memory_retrieve', name: 'read_log', arguments: { key: 'log' } }] };
      const added = await fetch(`${coordinator.origin}/api/v1/bundles/log`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(added.status).toBe(200);
      const refused = await fetch(`${coordinator.origin}/api/v1/bundles/notes`, { method: 'DELETE' });
      expect(refused.status).toBe(400);
      await coordinator.stop();
    }
    await using again = await startCoordinator({ servers: 8, dataDir, config });
    const client = await connectV2(`${again.origin}/mcp/bundles/log`, 'legacy');
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['read_log']);
    expect(textOf(await client.callTool({ name: 'read_log', arguments: {} }))).toContain('one');
    await client.close();
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
});
