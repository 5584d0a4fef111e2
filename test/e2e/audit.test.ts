/** The audit log of a coordinator that asks for keys: what gets into it, who may read it, and what happens to it later. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditItem, AuditReport } from '../../src/contract/rest/audit-routes.ts';
import { git } from '../fixtures/git-server.ts';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';
import { connectV2 } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let folder: Awaited<ReturnType<typeof createTempFolder>>;
let dataDir: string;
let coordinator: RunningCoordinator;
const keys = new Map<string, { id: string; key: string }>();
const principalOf = (role: string) => `key:${keys.get(role)!.id}`;
const bearer = (role: string) => ({ authorization: `Bearer ${keys.get(role)!.key}` });

const start = () =>
  startCoordinator({
    servers: 1,
    dataDir,
    args: ['--auth', 'required'],
    config: { audit: { arguments: 'redacted', checkpointEvery: 5 } },
  });

async function makeKey(role: string): Promise<void> {
  const args = ['keys', 'create', '--name', role, '--role', role, '--data', dataDir, '--json'];
  keys.set(role, JSON.parse((await runCli(args)).stdout) as { id: string; key: string });
}

const ask = (path: string, role: string, init: RequestInit = {}) =>
  fetch(`${coordinator.origin}${path}`, {
    ...init,
    headers: { ...bearer(role), ...(init.headers as Record<string, string>) },
  });

async function list(query: string): Promise<AuditItem[]> {
  const answer = await ask(`/api/v1/audit?${query}`, 'auditor');
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { items: AuditItem[] }).items;
}

const verifyOffline = async () => {
  const { code, stdout } = await runCli(['audit', 'verify', '--offline', '--json', '--data', dataDir]);
  return { code, report: JSON.parse(stdout) as AuditReport };
};

beforeAll(async () => {
  folder = await createTempFolder();
  dataDir = join(folder.path, 'data');
  await makeKey('admin');
  coordinator = await start();
  for (const role of ['agent', 'auditor', 'viewer']) await makeKey(role);
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe('what gets into it', () => {
  it('is each call, with who, what, how it ended, and no secret', async () => {
    const client = await connectV2(coordinator.url, 'modern', {}, bearer('agent'));
    const value = { note: 'ทดสอบ', password: 'hunter2-hunter2' };
    await client.callTool({ name: 'memory_store', arguments: { key: 'a', value } });
    await client.callTool({ name: 'memory_retrieve', arguments: { key: 'nowhere' } });
    await client.close();
    const [failed, stored] = await list(`principal=${principalOf('agent')}`);
    expect(failed).toMatchObject({ target: 'memory_retrieve', outcome: 'tool-error' });
    expect(stored).toMatchObject({
      way: 'mcp',
      role: 'agent',
      action: 'tools/call',
      target: 'memory_store',
      outcome: 'ok',
      arguments: { key: 'a', value: { note: 'ทดสอบ', password: '[redacted]' } },
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      definition: expect.stringMatching(/^sha256:/),
      config: expect.stringMatching(/^sha256:/),
      requestId: expect.any(String),
    });
    expect(stored!.server).toMatch(/^git-memory/);
    expect(stored!.latencyMs).toBeGreaterThan(0);
    expect(JSON.stringify([failed, stored])).not.toContain('hunter2');
  });

  it('is each change over REST, done or not, and no look', async () => {
    const bundle = { tools: [{ tool: 'memory_list' }] };
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' } };
    const made = await ask('/api/v1/bundles/one', 'admin', { ...put, body: JSON.stringify(bundle) });
    expect(made.status).toBe(200);
    await ask('/api/v1/bundles/Two%20x', 'admin', { ...put, body: '{}' });
    await ask('/api/v1/status', 'admin');
    const [failed, done, ...others] = await list(`principal=${principalOf('admin')}`);
    expect(done).toMatchObject({
      way: 'rest',
      action: 'PUT /api/v1/bundles/:name',
      target: '/api/v1/bundles/one',
      outcome: 'ok',
    });
    expect(failed).toMatchObject({ outcome: 'error', code: 'INVALID_INPUT' });
    expect(others).toEqual([]);
  });

  it('is who was turned away, once with a number where it goes on', async () => {
    expect((await ask('/api/v1/audit', 'viewer')).status).toBe(403);
    await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${coordinator.origin}/mcp`, { method: 'POST' })),
    );
    const refused = await eventually('the number', async () => {
      const items = await list('outcome=refused');
      return items.some(({ details }) => details?.['times'] === 19) ? items : undefined;
    });
    expect(refused).toContainEqual(
      expect.objectContaining({
        principal: principalOf('viewer'),
        target: '/api/v1/audit',
        code: 'FORBIDDEN',
      }),
    );
    const unknown = refused.filter(({ code }) => code === 'UNAUTHENTICATED');
    expect(unknown).toHaveLength(2);
    expect(unknown[0]).toMatchObject({ principal: null, way: 'door', target: '/mcp' });
  });

  it('is a push, and a push that is not taken', async () => {
    const { host } = new URL(coordinator.origin);
    const url = `http://key:${keys.get('agent')!.key}@${host}/git/default.git`;
    const clone = join(folder.path, 'clone');
    expect((await git(folder.path, 'clone', '--quiet', url, clone)).code).toBe(0);
    const push = async (name: string, content: string) => {
      await writeFile(join(clone, name), content);
      await git(clone, 'add', '.');
      await git(clone, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', name);
      return (await git(clone, 'push', '--quiet', 'origin', 'HEAD:main')).code;
    };
    expect(await push('shared/note.md', 'hello')).toBe(0);
    expect((await git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/other')).code).not.toBe(0);
    const [refused, pushed] = await list('tool=/git/default.git/git-receive-pack');
    expect(refused).toMatchObject({
      outcome: 'error',
      details: { refs: [{ ref: 'refs/heads/other', problem: expect.any(String) }] },
    });
    expect(pushed?.outcome).toBe('ok');
    expect(pushed).toMatchObject({
      way: 'git',
      action: 'git-receive-pack',
      principal: principalOf('agent'),
      details: { refs: [expect.objectContaining({ ref: 'refs/heads/main' })] },
    });
  });

  it('is each change of keys, people and secrets on the data folder, before and while a coordinator runs', async () => {
    const { id } = keys.get('viewer')!;
    await runCli(['keys', 'revoke', id, '--data', dataDir]);
    await runCli(['users', 'invite', '--login', 'anna', '--role', 'viewer', '--data', dataDir]);
    await runCli(['users', 'disable', 'anna', '--data', dataDir]);
    const value = join(dataDir, 'value.txt');
    await writeFile(value, 'never written down');
    await runCli(['secrets', 'set', 'token', '--file', value, '--data', dataDir]);
    const made = (await list('limit=1000')).filter(({ way }) => way === 'cli');
    expect(made.map(({ action }) => action)).toEqual([
      'secrets set',
      'users disable',
      'users invite',
      'keys revoke',
      ...Array.from({ length: 4 }, () => 'keys create'),
    ]);
    expect(made[3]).toMatchObject({ principal: 'owner', target: id, outcome: 'ok' });
    expect(made[1]).toMatchObject({ target: 'anna' });
    expect(JSON.stringify(made)).not.toContain('never written down');
    expect(made.at(-1)).toMatchObject({ seq: 1, target: keys.get('admin')!.id });
  });
});

describe('reading it', () => {
  it('goes page by page, and is for owner, admin and auditor', async () => {
    const all = await list('limit=1000');
    const first = (await (await ask('/api/v1/audit?limit=3', 'auditor')).json()) as {
      items: AuditItem[];
      nextCursor: string;
    };
    const next = await list(`limit=3&cursor=${first.nextCursor}`);
    expect([...first.items, ...next].map(({ seq }) => seq)).toEqual(all.slice(0, 6).map(({ seq }) => seq));
    expect((await ask('/api/v1/audit', 'admin')).status).toBe(200);
    expect((await ask('/api/v1/audit', 'agent')).status).toBe(403);
    expect((await ask('/api/v1/audit-verify', 'agent')).status).toBe(403);
    expect((await ask('/api/v1/audit?since=soon', 'auditor')).status).toBe(400);
  });

  it('counts', async () => {
    const text = await (await ask('/metrics', 'auditor')).text();
    expect(text).toMatch(/^git_memory_mcp_audit_records_total [1-9]/m);
    expect(text).toMatch(/^git_memory_mcp_audit_lost_records_total 0$/m);
  });

  it('exports all of it, the oldest first', async () => {
    const { stdout, code } = await runCli(['audit', 'export', '--data', dataDir]);
    expect(code).toBe(0);
    const items = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditItem);
    expect(items.map(({ seq }) => seq)).toEqual(items.map((_, at) => at + 1));
  });
});

it('refuses changes while it cannot be written, goes on by itself, and says so', async () => {
  const alter = (from: string, to: string) => {
    using db = new DatabaseSync(join(dataDir, 'audit.sqlite'));
    db.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
  };
  const change = async () => (await ask('/api/v1/bundles/none', 'admin', { method: 'DELETE' })).status;
  alter('audit_records', 'away');
  await eventually('the refusal', async () => ((await change()) === 503 ? true : undefined));
  expect((await ask('/api/v1/status', 'admin')).status).toBe(200);
  alter('away', 'audit_records');
  await eventually('the way back', async () => ((await change()) === 404 ? true : undefined));
  const [gap] = await list('tool=audit');
  expect(gap).toMatchObject({ action: 'audit gap', details: { lost: 0 } });
});

describe('checking it', () => {
  it('finds it whole, running, stopped, and after it was killed', async () => {
    const live = (await (await ask('/api/v1/audit-verify', 'auditor')).json()) as AuditReport;
    expect(live).toMatchObject({ healthy: true, findings: [], first: 1 });
    expect(live.checkpoints).toBeGreaterThan(0);
    await coordinator.kill();
    coordinator = await start();
    await ask('/api/v1/servers/nobody/start', 'admin', { method: 'POST' });
    expect(await coordinator.stop()).toBe(0);
    const { code, report } = await verifyOffline();
    expect(report).toMatchObject({ healthy: true, findings: [] });
    expect(code).toBe(0);
    expect(report.last).toBeGreaterThan(live.last);
    // What a stop signs is all there is.
    expect(report.signedTo).toBe(report.last);
  }, 90_000);

  it('finds what was done to its file', async () => {
    const db = new DatabaseSync(join(dataDir, 'audit.sqlite'));
    db.exec('UPDATE audit_records SET record = replace(record, \'"ok"\', \'"no"\') WHERE seq = 3');
    db.exec('DELETE FROM audit_records WHERE seq = 6');
    db.close();
    const { code, report } = await verifyOffline();
    expect(code).toBe(1);
    const errors = report.findings.filter(({ severity }) => severity === 'error');
    expect(new Set(errors.map(({ kind, seq }) => `${kind} ${seq}`))).toEqual(
      new Set(['edited 3', 'removed 6']),
    );
  });
});
