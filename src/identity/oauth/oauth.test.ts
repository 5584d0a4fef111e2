import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { localOwner } from '../../kernel/principal.ts';
import { openStore } from '../../store/open-store.ts';
import { covers, createTokenCheck } from './access-tokens.ts';
import { settleClient } from './client-rules.ts';
import { createRecordAdapter } from './record-adapter.ts';
import { keyLifeMs, loadSigningKeys } from './signing-keys.ts';

let open = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

describe('signing keys', () => {
  it('are made once, replaced in time, and published until their tokens are over', async () => {
    const { path } = open.use(await createTempFolder());
    const clock = createFakeClock(Date.UTC(2026, 10, 21));
    const kids = async () => (await loadSigningKeys(path, clock)).map(({ kid }) => kid);
    const [first, ...none] = await kids();
    expect(none).toEqual([]);
    expect(await kids()).toEqual([first]);
    if (process.platform !== 'win32')
      expect((await stat(join(path, 'oauth-keys.json'))).mode & 0o777).toBe(0o600);
    clock.advance(keyLifeMs);
    const [second, former] = await kids();
    expect(former).toBe(first);
    expect(second).not.toBe(first);
    clock.advance(86_400_000);
    expect(await kids()).toEqual([second]);
  });

  it('that cannot be read stop the server instead of being replaced', async () => {
    const { path } = open.use(await createTempFolder());
    const file = join(path, 'oauth-keys.json');
    await writeFile(file, '{"keys":[{');
    const loading = loadSigningKeys(path, createFakeClock());
    await expect(loading).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await readFile(file, 'utf8')).toBe('{"keys":[{');
  });
});

describe('records', () => {
  const setUp = async () => {
    const { path } = open.use(await createTempFolder());
    const store = open.use(await openStore(path));
    const clock = createFakeClock(Date.UTC(2026, 10, 21));
    const grants = new Set<string>();
    const directory = {
      addGrant: (id: string) => grants.add(id),
      removeGrant: (id: string) => grants.delete(id),
    };
    const of = (model: string, tenant = 'default') =>
      createRecordAdapter(model, {
        records: store.oauthRecords,
        directory,
        tenant,
        clock,
      });
    return { store, clock, grants, of };
  };

  it('are found until they end, by their tenant only, and hold no id that opens something', async () => {
    const { store, clock, of } = await setUp();
    const tokens = of('RefreshToken');
    await tokens.upsert('secret', { jti: 'secret', grantId: 'g', accountId: 'u' }, 60);
    expect(await tokens.find('secret')).toEqual({ jti: 'secret', grantId: 'g', accountId: 'u' });
    expect(await of('RefreshToken', 'elsewhere').find('secret')).toBeUndefined();
    expect(await of('AuthorizationCode').find('secret')).toBeUndefined();
    const row = await store.oauthRecords.find('default', 'RefreshToken', 'secret');
    expect(row).toBeUndefined();
    clock.advance(60_000);
    expect(await tokens.find('secret')).toBeUndefined();
  });

  it('are used once, also by two at the same time', async () => {
    const { of } = await setUp();
    const codes = of('AuthorizationCode');
    await codes.upsert('c', { jti: 'c' }, 60);
    const both = await Promise.allSettled([codes.consume('c'), codes.consume('c')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await codes.find('c')).toMatchObject({ consumed: expect.any(Number) });
  });

  it('end with their grant, and unused clients after a while', async () => {
    const { store, clock, grants, of } = await setUp();
    await of('Grant').upsert('g', { jti: 'g', accountId: 'u', clientId: 'used' }, 3600);
    await of('RefreshToken').upsert('r', { jti: 'r', grantId: 'g' }, 60);
    expect(grants.has('g')).toBe(true);
    await of('RefreshToken').revokeByGrantId('g');
    expect(await of('RefreshToken').find('r')).toBeUndefined();
    for (const id of ['used', 'unused']) await of('Client').upsert(id, { client_id: id }, 0);
    const iso = (ms: number) => new Date(clock.now() + ms).toISOString();
    await store.oauthRecords.sweep(iso(0), iso(1000));
    expect(await of('Client').find('used')).toEqual({ client_id: 'used' });
    expect(await of('Client').find('unused')).toBeUndefined();
    await of('Grant').destroy('g');
    expect([grants.size, await store.oauthRecords.grantIds('default')]).toEqual([0, []]);
  });
});

describe('a token', () => {
  it.each([
    ['http://h/mcp', 'http://h/mcp', true],
    ['http://h/mcp', 'http://h/mcp/servers/a', true],
    ['http://h/mcp', 'http://h/mcpx', false],
    ['http://h/mcp/a', 'http://h/mcp', false],
    ['http://h', 'http://h/api', true],
    ['http://h/', 'http://h/api', true],
    ['http://h', 'http://h.evil/api', false],
    ['http://h:1', 'http://h:12/api', false],
    ['', 'http://h/mcp', false],
  ])('for %s at %s: %s', (audience, target, expected) => {
    expect(covers(audience, target)).toBe(expected);
  });

  it('is believed once, and asked each time whether its person may still come in', async () => {
    const clock = createFakeClock();
    let verified = 0;
    let isIn = true;
    const check = createTokenCheck(async (token) => {
      verified += 1;
      if (token !== 'good') throw new Error('no');
      return {
        audiences: ['http://h/mcp'],
        expiresAtMs: 1000,
        principal: () => (isIn ? localOwner : undefined),
      };
    }, clock);
    for (let n = 0; n < 3; n += 1) expect(await check.check('good', 'http://h/mcp')).toBe(localOwner);
    expect(verified).toBe(1);
    const refused = { code: 'UNAUTHENTICATED' };
    await expect(check.check('good', 'http://h/api')).rejects.toMatchObject(refused);
    await expect(check.check('bad', 'http://h/mcp')).rejects.toMatchObject(refused);
    isIn = false;
    await expect(check.check('good', 'http://h/mcp')).rejects.toMatchObject(refused);
    isIn = true;
    clock.advance(1000);
    await expect(check.check('good', 'http://h/mcp')).rejects.toMatchObject(refused);
  });
});

it('what a client says of itself never makes it a web app with plain http, nor leaves it a secret', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.webUrl(), fc.string(), fc.constant('http://127.0.0.1/cb'))), (uris) => {
      const metadata: Record<string, unknown> = { redirect_uris: uris, client_secret: 's' };
      try {
        settleClient(metadata);
      } catch {
        return;
      }
      expect(metadata['client_secret']).toBeUndefined();
      const isPlain = uris.some((uri) => URL.parse(uri)?.protocol === 'http:');
      if (isPlain) expect(metadata['application_type']).toBe('native');
    }),
  );
});
