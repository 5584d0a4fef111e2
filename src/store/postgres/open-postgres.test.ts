import { execFileSync } from 'node:child_process';
import { chmod, chown, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/e2e/eventually.ts';
import { usePostgres, withoutPostgres } from '../../../test/fixtures/store-kinds.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { openKeyRing, refreshMs } from '../../identity/key-ring.ts';
import { makeKey } from '../../identity/key-text.ts';
import { createManagedKeys } from '../../identity/manage-keys.ts';
import { type Logger, silentLogger } from '../../kernel/log.ts';
import { openStore } from '../open-store.ts';
import { openPostgres } from './open-postgres.ts';

const server = usePostgres();
const open = (url: string, poolSize = 2) => openStore('', { postgres: { url, poolSize } });
const at = '2026-11-21T00:00:00.000Z';

/** What the application role sees of a database when it asks for all. */
async function asApp(url: string, setting: string, query: string) {
  const text = `begin; set local role git_memory_app; ${setting}; ${query}`;
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const results = (await client.query(text)) as unknown as { rows: Record<string, unknown>[] }[];
    return results.at(-1)!.rows;
  } finally {
    await client.end();
  }
}

describe.skipIf(withoutPostgres)('PostgreSQL', () => {
  it('has row-level security on every table, for its owner too', async () => {
    const url = await server().newUrl();
    await (await open(url))[Symbol.asyncDispose]();
    const rows = await server().sql(
      url,
      `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
         pg_get_userbyid(c.relowner) as owner, has_table_privilege('git_memory_app', c.oid, 'truncate, references, trigger') as more,
         exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant' and a.attnotnull) as tenant,
         exists (select from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
           where i.indrelid = c.oid and a.attname = 'tenant') as indexed,
         array(select p.polname || ' ' || p.polcmd::text from pg_policy p where p.polrelid = c.oid order by 1) as policies
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
    );
    const ours = rows.filter(({ name }) => !String(name).startsWith('kysely_'));
    expect(ours.length).toBeGreaterThan(12);
    for (const { name, policies, ...row } of ours) {
      expect([name, row]).toEqual([
        name,
        { forced: true, owner: 'boss', more: false, tenant: true, indexed: true },
      ]);
      const isAcross = name === 'api_keys' || name === 'key_changes';
      expect([name, policies]).toEqual([name, isAcross ? ['of_tenant *', 'read_across r'] : ['of_tenant *']]);
    }
    const others = rows
      .filter(({ name }) => String(name).startsWith('kysely_'))
      .map(({ name }) => String(name));
    for (const name of others)
      await expect(asApp(url, 'select 1', `select * from ${name}`)).rejects.toThrow('permission denied');
    const [role] = await server().sql(
      url,
      `select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = 'git_memory_app'`,
    );
    expect(Object.values(role!)).toEqual([false, false, false, false, false]);
  });

  it('shows raw SQL of the application nothing of another tenant, and takes nothing for one', async () => {
    const url = await server().newUrl();
    await using store = await open(url);
    for (const tenant of ['a', 'b']) {
      await store.addedServers.put(tenant, 's', { of: tenant });
      await store.apiKeys.add({
        id: tenant,
        tenant,
        name: 'ci',
        role: 'agent',
        hash: 'ab',
        createdAt: at,
        expiresAt: null,
        revokedAt: null,
        lastUsedAt: null,
        certificate: null,
        attributes: null,
      });
    }
    const all = 'select tenant from added_servers';
    const of = (tenant: string) => `set local app.tenant = '${tenant}'`;
    expect(await asApp(url, of('a'), all)).toEqual([{ tenant: 'a' }]);
    expect(await asApp(url, of('a'), 'select tenant from api_keys')).toEqual([{ tenant: 'a' }]);
    for (const setting of ['select 1', of(''), of('a,b'), `set local app.read_across = 'api_keys'`])
      expect([setting, await asApp(url, setting, all)]).toEqual([setting, []]);
    const across = `set local app.read_across = 'api_keys'`;
    expect(await asApp(url, across, 'select id from api_keys order by 1')).toEqual([
      { id: 'a' },
      { id: 'b' },
    ]);
    expect(await asApp(url, across, `update api_keys set role = 'owner' returning id`)).toEqual([]);
    const changed = `update added_servers set entry = '{}' where tenant = 'b' returning name`;
    expect(await asApp(url, of('a'), changed)).toEqual([]);
    expect(await asApp(url, of('a'), `delete from added_servers returning tenant`)).toEqual([
      { tenant: 'a' },
    ]);
    const added = (tenant: string) => `insert into added_servers values ('${tenant}', 'n', '{}', '')`;
    await expect(asApp(url, of('a'), added('b'))).rejects.toThrow('row-level security');
    await expect(asApp(url, of('a'), `update added_servers set tenant = 'b'`)).rejects.toThrow(
      'row-level security',
    );
    await expect(asApp(url, of('a'), 'truncate added_servers')).rejects.toThrow('permission denied');
    await expect(asApp(url, of('a'), 'alter table added_servers disable row level security')).rejects.toThrow(
      'owner',
    );
  });

  it('is set up by an owner that is no superuser, if an administrator made the role', async () => {
    const url = await server().newUrl();
    const database = new URL(url).pathname.slice(1);
    await server().sql(url, `create role plain login password 'p'; grant create on schema public to plain`);
    const plain = `postgresql://plain:p@127.0.0.1:${server().port}/${database}`;
    await server()
      .sql(url, 'revoke git_memory_app from plain')
      .catch(() => {});
    await expect(open(plain)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/administrator has to run: (CREATE ROLE|GRANT) git_memory_app/),
    });
    await server()
      .sql(url, 'create role git_memory_app nologin')
      .catch(() => {});
    await server().sql(url, 'grant git_memory_app to plain');
    await server().sql(url, 'revoke git_memory_app from plain; alter role plain createrole');
    await using store = await open(plain);
    await store.addedServers.put('a', 's', {});
    expect(await store.addedServers.all('b')).toEqual([]);
    expect(await store.addedServers.all('a')).toHaveLength(1);
    expect(await store.apiKeys.everyone()).toEqual([]);
  });

  it('refuses a key that another coordinator ended, and knows one that it made', async () => {
    const url = await server().newUrl();
    await using store = await open(url);
    await using other = await open(url);
    const clock = createFakeClock(Date.parse(at));
    await using ring = await openKeyRing({ keys: store.apiKeys, clock, logger: silentLogger });
    const keys = createManagedKeys(other.apiKeys, 'default', clock);
    const { id, key } = await keys.create({ name: 'ci', role: 'agent' });
    expect(await ring.check(key)).toMatchObject({ id: `key:${id}` });
    await keys.revoke(id);
    const refusal = await eventually('the refusal', async () => {
      clock.advance(refreshMs);
      return await ring.check(key).then(
        () => undefined,
        (error: unknown) => error,
      );
    });
    expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it(
    'goes on after its server was away; keys that are known open meanwhile',
    { timeout: 60_000 },
    async () => {
      const url = await server().newUrl();
      const warn = vi.fn<Logger['warn']>();
      await using store = await openStore('', {
        postgres: { url, poolSize: 2 },
        logger: { ...silentLogger, warn },
      });
      const clock = createFakeClock(Date.parse(at));
      await using ring = await openKeyRing({ keys: store.apiKeys, clock, logger: silentLogger });
      const { key } = await createManagedKeys(store.apiKeys, 'default', clock).create({
        name: 'ci',
        role: 'agent',
      });
      await ring.check(key);
      await server().restart(async () => {
        const failure: unknown = await store.addedServers.put('a', 's', {}).catch((error: unknown) => error);
        const place = `127.0.0.1:${server().port}/${new URL(url).pathname.slice(1)}`;
        expect(failure).toMatchObject({ code: 'STORAGE_FAILED', data: { path: place } });
        expect(String(failure)).not.toContain('pass');
        clock.advance(refreshMs);
        expect(await ring.check(key)).toMatchObject({ role: 'agent' });
        // One that has never been seen cannot be looked up, and says so in no other words.
        await expect(ring.check(makeKey().key)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
        await expect(ring.check(`${key.slice(0, -1)}x`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      });
      await store.addedServers.put('a', 's', { after: 1 });
      expect(await store.addedServers.all('a')).toEqual([{ name: 's', entry: { after: 1 } }]);
      // Cut by an administrator, one by one.
      await server().sql(
        url,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      );
      await eventually('it goes on', () => store.addedServers.all('a').catch(() => undefined));
      expect(warn).toHaveBeenCalled();
      expect(JSON.stringify(warn.mock.calls)).not.toContain('pass');
    },
  );

  it('leaves nothing of a change that failed half-way, and no tenant on a connection', async () => {
    const url = await server().newUrl();
    await using db = await openPostgres({ url, poolSize: 1 }, silentLogger);
    const row = { tenant: 'a', name: 'x', entry: '{}', added_at: at };
    const failing = db.write('a', async (tables) => {
      await tables.insertInto('added_servers').values(row).execute();
      await tables
        .insertInto('added_servers')
        .values({ ...row, tenant: 'b' })
        .execute();
    });
    await expect(failing).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    const names = (tenant: string) =>
      db.read(tenant, (tables) => tables.selectFrom('added_servers').select('name').execute());
    expect(await names('a')).toEqual([]);
    await db.write('a', (tables) => tables.insertInto('added_servers').values(row).execute());
    // Without a where: the database itself keeps tenants apart.
    expect(await names('a')).toEqual([{ name: 'x' }]);
    expect(await names('b')).toEqual([]);
    expect(
      await db.readAcross(['api_keys'], (tables) =>
        tables.selectFrom('added_servers').select('name').execute(),
      ),
    ).toEqual([]);
    const { rows } = await db.read('a', (tables) =>
      sql`select current_setting('statement_timeout') as most, current_user as who`.execute(tables),
    );
    expect(rows).toEqual([{ most: '10s', who: 'git_memory_app' }]);
    const writing = db.read('a', (tables) => tables.deleteFrom('added_servers').execute());
    await expect(writing).rejects.toMatchObject({ message: expect.stringContaining('read-only') });
  });

  it.each([
    ['no server', (url: URL) => (url.port = '1'), /ECONNREFUSED/],
    ['a wrong password', (url: URL) => (url.password = 'wrong-secret'), /password authentication failed/],
    ['no such database', (url: URL) => (url.pathname = '/nowhere'), /"nowhere" does not exist/],
    ['TLS that the server has not', (url: URL) => (url.search = '?sslmode=verify-full'), /SSL/],
  ])('names host and database, never the password: %s', async (_, change, problem) => {
    const url = new URL(await server().newUrl());
    change(url);
    const failure: unknown = await open(url.href).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringMatching(problem) });
    expect(String(failure)).toContain(`127.0.0.1:${url.port}${url.pathname}`);
    expect(JSON.stringify(failure) + String(failure)).not.toMatch(/secret|pass%20|pass word/);
  });

  it('speaks TLS and checks whose certificate it is, as the address says', async () => {
    const url = await server().newUrl();
    const [{ folder } = {}] = (await server().sql(
      url,
      `select current_setting('data_directory') as folder`,
    )) as {
      folder: string;
    }[];
    const [key, certificate] = [join(folder!, 'tls.key'), join(folder!, 'tls.crt')];
    const subject = ['-subj', '/CN=db', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', certificate, ...subject], {
      stdio: 'pipe',
    });
    const { uid, gid } = await stat(folder!);
    await chmod(key, 0o600);
    await chown(key, uid, gid);
    await chown(certificate, uid, gid);
    for (const setting of [`ssl_cert_file = 'tls.crt'`, `ssl_key_file = 'tls.key'`, 'ssl = on'])
      await server().sql(url, `alter system set ${setting}`);
    await server().restart();
    await expect(open(`${url}?sslmode=verify-full`)).rejects.toMatchObject({
      message: expect.stringContaining('self-signed certificate'),
    });
    const root = encodeURIComponent(certificate);
    await using db = await openPostgres(
      { url: `${url}?sslmode=verify-full&sslrootcert=${root}`, poolSize: 1 },
      silentLogger,
    );
    await db.read('a', (tables) => sql`select 1`.execute(tables));
    const rows = await server().sql(
      url,
      `select ssl from pg_stat_ssl join pg_stat_activity using (pid)
       where datname = current_database() and application_name = 'git-memory-mcp'`,
    );
    expect(rows).toEqual([{ ssl: true }]);
  });
});
