/** `migrate`, and what the other verbs say of the store, as a person runs them. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../src/memory/lock-data-dir.ts';
import { openStore } from '../../src/store/open-store.ts';
import { startCoordinator } from '../e2e/start-coordinator.ts';
import { usePostgres, withoutPostgres } from '../fixtures/store-kinds.ts';
import { createSandbox, type Sandbox } from './run-command.ts';

const server = usePostgres();
let sandbox: Sandbox;
let dataDir = '';
beforeAll(async () => {
  sandbox = await createSandbox();
  dataDir = join(sandbox.project, '.git-memory');
  await using store = await openStore(dataDir);
  await store.addedServers.put('default', 'ค้นหา', { url: 'http://x' });
  await store.quarantine.put('other', 'a', 'a NUL: \0');
  const change = { at: '', action: 'added', server: 's', source: 'config', origin: null, problem: null };
  await store.serverChanges.add(
    'default',
    Array.from({ length: 450 }, () => change),
  );
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const digest = () =>
  createHash('sha256')
    .update(readFileSync(join(dataDir, 'state.sqlite')))
    .digest('hex');
const migrate = (url: string, ...args: string[]) =>
  sandbox.run(['migrate', '--to-env', 'TARGET', '--json', ...args], { env: { TARGET: url } });

describe.skipIf(withoutPostgres)('migrate', { timeout: 60_000 }, () => {
  it('copies all into an empty database, and leaves the file as it was', async () => {
    const url = await server().newUrl();
    const dry = await migrate(url, '--dry-run');
    expect([dry.code, JSON.parse(dry.stdout)]).toMatchObject([0, { dryRun: true }]);
    expect(await server().sql(url, `select 1 from pg_tables where schemaname = 'public'`)).toEqual([]);
    const made = await sandbox.run(['keys', 'create', '--name', 'ci', '--role', 'agent', '--json']);
    const done = await migrate(url);
    expect(done.stderr).toBe('');
    const { tables, to } = JSON.parse(done.stdout) as {
      to: string;
      tables: { name: string; rows: number }[];
    };
    expect(to).toBe(`127.0.0.1:${server().port}${new URL(url).pathname}`);
    const counts = Object.fromEntries(tables.map(({ name, rows }) => [name, rows]));
    expect(counts).toMatchObject({
      server_changes: 450,
      added_servers: 1,
      quarantined_servers: 1,
      api_keys: 1,
    });
    expect(done.stdout + done.stderr).not.toContain('pass');

    await using store = await openStore('', { postgres: { url, poolSize: 2 } });
    expect(await store.addedServers.all('default')).toEqual([{ name: 'ค้นหา', entry: { url: 'http://x' } }]);
    expect((await store.quarantine.all('other')).get('a')).toBe('a NUL: \u{FFFD}');
    expect((await store.apiKeys.everyone()).map(({ id }) => id)).toEqual([JSON.parse(made.stdout).id]);
    await store.serverChanges.add('default', [
      { at: '', action: 'added', server: 'next', source: 'config', origin: null, problem: null },
    ]);
    expect((await store.serverChanges.newest('default', 1))[0]!.server).toBe('next');
    const forced = await server().sql(
      url,
      `select relname from pg_class where relrowsecurity and not relforcerowsecurity`,
    );
    expect(forced).toEqual([]);

    const again = await migrate(url);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('choose an empty database')]);
    expect(await store.addedServers.all('default')).toHaveLength(1);
    await sandbox.run(['keys', 'revoke', JSON.parse(made.stdout).id]);
  });

  it('changes no byte of the file', async () => {
    const before = digest();
    expect((await migrate(await server().newUrl())).code).toBe(0);
    expect(digest()).toBe(before);
  });

  it('refuses while a coordinator has the folder, without a state, and without an address', async () => {
    const url = await server().newUrl();
    {
      using _lock = lockDataDir(dataDir);
      const result = await migrate(url);
      expect([result.code, result.stderr]).toEqual([
        7,
        expect.stringContaining('already uses the data folder'),
      ]);
    }
    const wrong = await migrate('mysql://root:secret@x/y');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('postgresql://user:password@')]);
    expect(wrong.stderr).not.toContain('secret');
    const none = await sandbox.run(['migrate']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('--to-env: is missing')]);
  });

  it('is what start, keys, status and doctor use from then on', async () => {
    const url = await server().newUrl();
    await migrate(url);
    const config = { store: { url: { env: 'TARGET' } }, auth: { mode: 'required' } };
    const env = { TARGET: url };
    const file = join(sandbox.project, 'git-memory.config.json');
    await writeFile(file, JSON.stringify(config));
    const made = await sandbox.run(['keys', 'create', '--name', 'x', '--role', 'owner', '--json'], { env });
    const { key } = JSON.parse(made.stdout) as { key: string };
    const place = `127.0.0.1:${server().port}${new URL(url).pathname}`;
    await using coordinator = await startCoordinator({ config, env });
    const headers = { authorization: `Bearer ${key}` };
    const status = await fetch(`${coordinator.origin}/api/v1/status`, { headers });
    expect(await status.json()).toMatchObject({ store: { kind: 'postgresql', at: place } });
    const doctor = await sandbox.run(['doctor', '--json'], { env });
    const { checks } = JSON.parse(doctor.stdout) as { checks: { check: string }[] };
    expect(checks.find(({ check }) => check === 'store')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining(place),
    });
    const broken = await sandbox.run(['keys', 'list'], {
      env: { TARGET: 'postgresql://u:secret@127.0.0.1:1/x' },
    });
    expect([broken.code, broken.stderr]).toEqual([10, expect.stringContaining('127.0.0.1:1/x')]);
    expect(broken.stderr).not.toContain('secret');
    expect(coordinator.output()).not.toContain(new URL(url).password);
  });
});
