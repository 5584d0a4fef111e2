/** Deployment in phases against a real coordinator: by command line, over a restart, and over a `kill -9`. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { PhaseReport, PhaseStatus } from '../../src/contract/rest/deployment-routes.ts';
import type { ServerItem } from '../../src/contract/rest/server-routes.ts';
import { eventually } from './eventually.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

interface Deployments {
  readonly phases: readonly PhaseStatus[];
  readonly reports: readonly PhaseReport[];
}

async function get<T>({ origin }: RunningCoordinator, path: string): Promise<T> {
  return (await (await fetch(`${origin}/api/v1${path}`)).json()) as T;
}

async function deployed(coordinator: RunningCoordinator): Promise<ServerItem[]> {
  const { items } = await get<{ items: ServerItem[] }>(coordinator, '/servers?limit=1000');
  return items.filter(({ source }) => source === 'deployed');
}

async function verb(coordinator: RunningCoordinator, ...args: string[]) {
  const { code, stdout, stderr } = await runCli(['servers', ...args, '--json', '--url', coordinator.origin]);
  return { code, stderr, reports: (JSON.parse(stdout) as { reports: PhaseReport[] }).reports };
}

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'git-memory-deploy-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

it('deploys by the fifty beside what was started, keeps it over a restart, and takes it out again', async () => {
  await using folder = await temporaryFolder();
  const options = { servers: 8, dataDir: join(folder.path, 'data') };
  {
    await using coordinator = await startCoordinator(options);
    const { code, reports } = await verb(coordinator, 'deploy', '--phase', '1');
    expect(code).toBe(0);
    // Of the eight, five stand on ports of phase 1.
    expect(reports).toMatchObject([{ outcome: 'deployed', kept: 5, failures: [] }]);
    expect(reports[0]?.timings?.checkP95Ms).toBeGreaterThan(0);
    const servers = await deployed(coordinator);
    expect(servers).toHaveLength(45);
    expect(servers.every(({ state, calls }) => state === 'ready' && calls > 0)).toBe(true);
    expect((await verb(coordinator, 'deploy', '--phase', '1')).reports).toMatchObject([
      { outcome: 'unchanged', kept: 50 },
    ]);
  }
  await using again = await startCoordinator(options);
  expect(await deployed(again)).toHaveLength(45);
  expect(await get<Deployments>(again, '/deployments')).toMatchObject({
    phases: [{ phase: 1, state: 'deployed', servers: 45 }, ...Array.from({ length: 19 }, () => ({}))],
    reports: [{ phase: 1, outcome: 'deployed' }],
  });
  const refused = await runCli(['servers', 'remove', 'sqlite-3105', '--url', again.origin]);
  expect(refused.stdout).toContain('servers undeploy');
  expect((await verb(again, 'undeploy', '--phase', '1')).reports).toMatchObject([{ outcome: 'removed' }]);
  expect(await deployed(again)).toEqual([]);
  expect((await get<{ items: unknown[] }>(again, '/servers')).items).toHaveLength(8);
});

it('rolls a phase back when a check fails, says why, and leaves the phases before it', async () => {
  await using coordinator = await startCoordinator({
    config: { builtIn: { 'git-operations': { settings: { noSuchSetting: 1 } } } },
  });
  expect((await verb(coordinator, 'deploy', '--phase', '3')).code).toBe(0);
  const { code, reports } = await verb(coordinator, 'deploy', '--phase', '1');
  expect(code).toBe(8);
  expect(reports).toMatchObject([{ outcome: 'rolled-back', failures: [{ step: 'start' }] }]);
  expect(reports[0]?.failures[0]?.servers).toHaveLength(10);
  expect((await deployed(coordinator)).map(({ category }) => category)).toEqual(
    Array.from({ length: 50 }, () => 'devtools'),
  );
});

it('has whole phases or none after a kill in the middle of one', async () => {
  await using folder = await temporaryFolder();
  const options = { dataDir: join(folder.path, 'data') };
  {
    await using coordinator = await startCoordinator(options);
    await verb(coordinator, 'deploy', '--phase', '3');
    const lost = fetch(`${coordinator.origin}/api/v1/deployments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ all: true }),
    }).then(
      () => 'answered',
      () => 'lost',
    );
    await eventually('a phase under way', async () => {
      const { phases } = await get<Deployments>(coordinator, '/deployments');
      return phases.some(({ state }) => state === 'deploying') || undefined;
    });
    await coordinator.kill();
    expect(await lost).toBe('lost');
  }
  await using again = await startCoordinator(options);
  const { phases } = await get<Deployments>(again, '/deployments');
  const whole = phases.filter(({ state }) => state === 'deployed');
  expect(phases.every(({ state, servers }) => servers === (state === 'deployed' ? 50 : 0))).toBe(true);
  expect(whole.map(({ phase }) => phase)).toContain(3);
  expect(await deployed(again)).toHaveLength(50 * whole.length);
});
