import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Kysely } from 'kysely';
import { expect, it } from 'vitest';
import { createTempFolder } from '../../test/fixtures/memory-in-temp.ts';
import { migrateToLatest, migrations } from './migrate.ts';
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts';
import { openStore } from './open-store.ts';
import { openTenantStore } from './tenant-store.ts';

const killer = fileURLToPath(new URL('../../test/fixtures/migrate-and-kill.ts', import.meta.url));
const run = promisify(execFile);

/** A file as a version without tenants left it. */
async function makeFormerFile(file: string): Promise<void> {
  const db = new Kysely<unknown>({ dialect: createNodeSqliteDialect(file) });
  const former = Object.entries(migrations).filter(([name]) => name <= '0008-api-keys');
  await migrateToLatest(db, Object.fromEntries(former));
  await db.destroy();
  const raw = new DatabaseSync(file);
  const at = '2026-01-02T03:04:05.678Z';
  raw.exec(`
    insert into listings values ('k', '{"tools":[{"name":"ค้นหา"}]}', '${at}');
    insert into added_servers values ('a', '{"url":"http://x"}', '${at}'), ('b', '{}', '${at}');
    insert into added_remotes values ('r', '{}', '${at}');
    insert into bundles values ('b', '{"tools":{}}', '${at}');
    insert into approvals values ('a', '{"hash":"1"}', '${at}');
    insert into scale_bounds values ('a', 1, 9, '${at}');
    insert into deployed_phases values (2, '{"phase":2}'), (1, '{"phase":1}');
    insert into deployment_reports (report) values ('{"n":1}'), ('{"n":2}');
    insert into server_settings values ('a', '{"replicas":2}', '${at}');
    insert into quarantined_servers values ('a', 'odd', '${at}');
    insert into server_changes (at, action, server, source, origin, problem)
      values ('${at}', 'added', 'a', 'config', null, null), ('${at}', 'removed', 'a', 'config', 'o', 'p');
    insert into api_keys values ('default', '1', 'ci', 'agent', 'ab', '${at}', null, null, null);
  `);
  raw.close();
}

async function expectAllThere(dataDir: string): Promise<void> {
  await using store = await openStore(dataDir);
  const own = await openTenantStore(store, 'default');
  expect(await own.listings.get('k')).toEqual({ tools: [{ name: 'ค้นหา' }] });
  expect(await own.addedServers.all()).toEqual([
    { name: 'a', entry: { url: 'http://x' } },
    { name: 'b', entry: {} },
  ]);
  expect(await own.addedRemotes.all()).toHaveLength(1);
  expect(await own.addedBundles.all()).toEqual({ b: { tools: {} } });
  expect([...(await own.approvals.all())]).toEqual([['a', { hash: '1' }]]);
  expect(own.scaleBounds.get('a')).toEqual({ min: 1, max: 9 });
  expect(await own.deployments.phases()).toEqual([{ phase: 1 }, { phase: 2 }]);
  expect(await own.deployments.reports(9)).toEqual([{ n: 2 }, { n: 1 }]);
  expect([...(await own.serverSettings.all())]).toEqual([['a', { replicas: 2 }]]);
  expect([...(await own.quarantine.all())]).toEqual([['a', 'odd']]);
  expect((await own.serverChanges.newest(9)).map(({ action }) => action)).toEqual(['removed', 'added']);
  expect(await store.apiKeys.list('default')).toMatchObject([{ id: '1', name: 'ci', hash: 'ab' }]);
  await own.serverChanges.add([
    { at: 'now', action: 'added', server: 'z', source: 'config', origin: null, problem: null },
  ]);
  expect((await own.serverChanges.newest(1))[0]!.server).toBe('z');
  expect(await store.addedServers.all('another')).toEqual([]);
}

it('gives what is there to the tenant `default`, once', async () => {
  await using folder = await createTempFolder();
  await makeFormerFile(join(folder.path, 'state.sqlite'));
  await expectAllThere(folder.path);
  await using store = await openStore(folder.path);
  expect(await store.serverChanges.newest('default', 9)).toHaveLength(3);
});

it('loses nothing when it is killed at any moment', { timeout: 60_000 }, async () => {
  await using folder = await createTempFolder();
  const former = join(folder.path, 'former.sqlite');
  await makeFormerFile(former);
  const whole = join(folder.path, 'whole.sqlite');
  await cp(former, whole);
  const statements = Number((await run(process.execPath, [killer, whole, '-1'])).stdout);
  expect(statements).toBeGreaterThan(40);
  for (const part of [0.3, 0.6, 0.9, 1]) {
    const dataDir = join(folder.path, String(part));
    await cp(former, join(dataDir, 'state.sqlite'));
    const at = Math.floor(statements * part) - (part === 1 ? 1 : 0);
    const killed = run(process.execPath, [killer, join(dataDir, 'state.sqlite'), String(at)]);
    await expect(killed).rejects.toThrow();
    await expectAllThere(dataDir);
  }
});
