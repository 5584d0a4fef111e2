/** Bulk operations, changed settings and quarantine against a real coordinator, over a restart. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { BulkItem, BulkRequest } from '../../src/contract/rest/bulk-routes.ts';
import type { ServerItem } from '../../src/contract/rest/server-routes.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

async function post<T>({ origin }: RunningCoordinator, path: string, body: unknown): Promise<T> {
  const response = await fetch(`${origin}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as T & { detail?: string };
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

async function bulk(
  coordinator: RunningCoordinator,
  operation: BulkRequest['operation'],
  select: string,
  rest: Partial<BulkRequest> = {},
): Promise<BulkItem[]> {
  const body = { operation, select, ...rest };
  return (await post<{ items: BulkItem[] }>(coordinator, '/servers-bulk', body)).items;
}

async function list<T>({ origin }: RunningCoordinator, path: string): Promise<T[]> {
  return ((await (await fetch(`${origin}/api/v1${path}`)).json()) as { items: T[] }).items;
}

const selected = (coordinator: RunningCoordinator, select: string) =>
  list<ServerItem>(coordinator, `/servers?${new URLSearchParams({ select }).toString()}`);

const replicas = async (coordinator: RunningCoordinator, select: string) =>
  (await selected(coordinator, select)).map((server) => `${server.id} ${server.replicas}`);

const toolNames = async (coordinator: RunningCoordinator) =>
  (await list<{ name: string }>(coordinator, '/tools?limit=1000')).map(({ name }) => name);

it('changes many servers at once, keeps it over a restart, and takes it back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'git-memory-bulk-'));
  const options = {
    servers: 3,
    dataDir: join(folder, 'data'),
    mcpServers: { fixed: { builtin: '3d-sco-thinking', tags: ['blue'] } },
  };
  {
    await using coordinator = await startCoordinator(options);
    const entry = { builtin: 'sqlite', category: 'database', tags: ['blue'] };
    for (const name of ['one', 'two']) await post(coordinator, '/servers', { name, entry });
    expect(await replicas(coordinator, 'tag=blue')).toEqual(['one 1', 'two 1', 'fixed 1']);

    const dryRun = await bulk(coordinator, 'scale', 'category=database', { replicas: 2, dryRun: true });
    expect(dryRun.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      'one planned',
      'two planned',
      'sqlite-3104 planned',
    ]);
    const [before, after] = [
      { min: 1, max: 1 },
      { min: 2, max: 2 },
    ];
    expect(await bulk(coordinator, 'scale', 'tag=blue', { replicas: 2 })).toMatchObject([
      { id: 'one', outcome: 'done', before, after },
      { id: 'two', outcome: 'done' },
      { id: 'fixed', outcome: 'done' },
    ]);
    // What the config file says is changed there.
    expect(await bulk(coordinator, 'configure', 'id=fixed', { set: { lazy: true } })).toMatchObject([
      { outcome: 'failed', code: 'INVALID_INPUT', problem: expect.stringContaining('the config') },
    ]);
    expect(await replicas(coordinator, 'category=database')).toEqual(['one 2', 'two 2', 'sqlite-3104 1']);

    const set = { settings: { timeoutMs: 9000 }, tags: ['green'], timeoutMs: 4000 };
    expect(await bulk(coordinator, 'configure', 'id in (one,sqlite-3104)', { set })).toMatchObject([
      { outcome: 'done', before: { timeoutMs: null, tags: ['blue'], settings: { timeoutMs: null } } },
      { outcome: 'done', before: { timeoutMs: null, tags: null }, after: { settings: { timeoutMs: 9000 } } },
    ]);
    const wrong = bulk(coordinator, 'configure', 'id=one', { set: { command: 'sh' } });
    await expect(wrong).rejects.toThrow(
      'command: cannot be changed while the server runs; what can is title',
    );
    const misfit = { set: { settings: { noSuchSetting: 1 } } };
    expect(await bulk(coordinator, 'configure', 'id=one', misfit)).toMatchObject([{ code: 'INVALID_INPUT' }]);

    const reason = 'odd answers';
    expect(await bulk(coordinator, 'quarantine', 'name=two', { reason })).toMatchObject([
      { outcome: 'done' },
    ]);
    expect(await toolNames(coordinator)).not.toContain('two__query');
  }
  {
    await using coordinator = await startCoordinator(options);
    expect(await selected(coordinator, 'tag=green')).toMatchObject([
      { id: 'one', replicas: 2, state: 'ready' },
      { id: 'sqlite-3104', replicas: 1, state: 'ready' },
    ]);
    expect(await selected(coordinator, 'state=quarantined')).toMatchObject([
      { id: 'two', reason: 'odd answers' },
    ]);
    expect(await bulk(coordinator, 'release', 'id=two')).toMatchObject([{ state: 'ready' }]);
    expect(await toolNames(coordinator)).toContain('two__query');
    const unset = ['tags', 'timeoutMs'];
    expect(await bulk(coordinator, 'configure', 'tag=green', { unset })).toMatchObject([
      { id: 'one', before: { tags: ['green'], timeoutMs: 4000 }, after: { tags: ['blue'], timeoutMs: null } },
      { id: 'sqlite-3104', after: { tags: null, timeoutMs: null } },
    ]);
    const removed = await runCli([
      'servers',
      'remove',
      '--select',
      'source=added',
      '--url',
      coordinator.origin,
    ]);
    expect(removed).toMatchObject({ code: 0, stdout: 'one\tdone\t\t\t\ntwo\tdone\t\t\t\n' });
    const nothing = await runCli([
      'servers',
      'stop',
      '--select',
      'source=added',
      '--url',
      coordinator.origin,
    ]);
    expect(nothing).toMatchObject({
      code: 4,
      stderr: 'error NOT_FOUND: server that matches not found: source=added\n',
    });
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});
