import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectV2 } from './connect-client.ts';
import { descendantsOf, survivorsOf, whenGone } from './processes.ts';
import { startCoordinator } from './start-coordinator.ts';
import { stdioFixture } from './start-fixture.ts';

const run = promisify(execFile);

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'git-memory-newcomer-'));
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
});

async function git(...args: string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', join(dataDir, 'memory.git'), ...args]);
  return stdout;
}

describe('what a newcomer does', () => {
  const value = { drink: 'ชาเย็น', sugar: 0.5 };

  it('stores a memory, stops, starts again and finds it, with its history in plain Git', async () => {
    {
      await using coordinator = await startCoordinator({ servers: 20, dataDir });
      expect((await fetch(`${coordinator.origin}/readyz`)).status).toBe(200);
      const client = await connectV2(coordinator.url, 'auto');
      const { tools } = await client.listTools();
      expect(tools.length).toBeGreaterThan(20);
      const stored = await client.callTool({
        name: 'memory_store',
        arguments: { key: 'people/มาลี/drink', value, tags: ['taste'] },
      });
      expect(stored).toMatchObject({ structuredContent: { key: 'people/มาลี/drink', scope: 'shared' } });
      await client.close();

      const children = await descendantsOf(coordinator.pid);
      expect(await coordinator.stop()).toBe(0);
      await whenGone(children);
    }
    {
      await using coordinator = await startCoordinator({ servers: 20, dataDir });
      const client = await connectV2(coordinator.url, 'legacy');
      const found = await client.callTool({
        name: 'memory_retrieve',
        arguments: { key: 'people/มาลี/drink' },
      });
      expect(found.structuredContent).toMatchObject({ key: 'people/มาลี/drink', value, tags: ['taste'] });
      const searched = await client.callTool({ name: 'memory_search', arguments: { query: 'ชาเย็น' } });
      expect(searched.structuredContent).toMatchObject({ hits: [{ key: 'people/มาลี/drink' }] });

      const versions = await client.callTool({
        name: 'memory_history',
        arguments: { key: 'people/มาลี/drink' },
      });
      const [version] = (versions.structuredContent as { versions: { commit: string }[] }).versions;
      expect(await git('log', '--format=%H', 'main')).toContain(version?.commit);
      const message = await git('log', '-1', '--format=%B', version?.commit ?? '');
      expect(message).toMatch(/^Memory-Key: /m);
      expect(message).toMatch(/^Memory-Actor: /m);
      expect(await git('fsck', '--full', '--strict')).toBe('');
      await client.close();
      expect(await coordinator.stop()).toBe(0);
    }
    expect(await git('fsck', '--full', '--strict')).toBe('');
    expect(await git('rev-parse', '--is-bare-repository')).toBe('true\n');
  }, 60_000);

  it('is cloned with stock Git while the coordinator runs', async () => {
    await using coordinator = await startCoordinator({ servers: 1, dataDir });
    const client = await connectV2(coordinator.url, 'legacy');
    await client.callTool({ name: 'memory_store', arguments: { key: 'cloned', value: 'yes' } });
    await client.callTool({ name: 'memory_history', arguments: { key: 'cloned' } });
    const clone = join(dataDir, 'clone');
    await run('git', ['clone', '--quiet', join(dataDir, 'memory.git'), clone]);
    const { stdout } = await run('git', ['-C', clone, 'ls-files', '-z']);
    expect(stdout).toContain('shared/');
    await client.close();
  });

  it('refuses a second coordinator on the same data folder', async () => {
    await using coordinator = await startCoordinator({ dataDir });
    await expect(startCoordinator({ dataDir })).rejects.toThrow(/ended with 7/);
    expect((await fetch(`${coordinator.origin}/healthz`)).status).toBe(200);
  });
});

describe('kill -9', () => {
  it('leaves children that the next start ends, and no acknowledged memory is lost', async () => {
    const mcpServers = { fixture: stdioFixture('both') };
    await using first = await startCoordinator({ servers: 1, dataDir, mcpServers });
    const client = await connectV2(first.url, 'modern');
    for (let index = 0; index < 20; index += 1) {
      const stored = await client.callTool({
        name: 'memory_store',
        arguments: { key: `killed/${index}`, value: index },
      });
      expect(stored.isError).toBeFalsy();
    }
    const children = await descendantsOf(first.pid);
    const info = await client.callTool({ name: 'fixture__process_info', arguments: {} });
    const { pid } = info.structuredContent as { pid: number };
    expect(children).toContain(pid);
    await first.kill();
    await client.close().catch(() => undefined);

    await using second = await startCoordinator({ servers: 1, dataDir, mcpServers });
    await whenGone(children);
    const again = await connectV2(second.url, 'modern');
    for (let index = 0; index < 20; index += 1) {
      const found = await again.callTool({ name: 'memory_retrieve', arguments: { key: `killed/${index}` } });
      expect(found.structuredContent).toMatchObject({ value: index });
    }
    await again.close();
    expect(await survivorsOf([pid])).toEqual([]);
  }, 60_000);
});
