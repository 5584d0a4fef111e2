import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createTempFolder } from '../../test/fixtures/memory-in-temp.ts';
import {
  appRole,
  rootToken,
  startVaultDouble,
  type VaultDoubleOptions,
} from '../../test/fixtures/vault-double.ts';
import { createFakeClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/log.ts';
import { createVault, type VaultOptions } from './vault-client.ts';

const byRole: VaultOptions['logIn'] = {
  kind: 'app-role',
  mount: 'approle',
  roleId: async () => appRole.role_id,
  secretId: async () => appRole.secret_id,
};
const byToken = (token: string): VaultOptions['logIn'] => ({ kind: 'token', token: async () => token });

async function start(
  logIn: VaultOptions['logIn'],
  double: VaultDoubleOptions = {},
  more: Partial<VaultOptions> = {},
) {
  const clock = createFakeClock(1_000_000);
  const server = await startVaultDouble({ now: () => clock.now(), ...double });
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.secrets.set('apps/github', { token: 'from the vault', nested: { a: 1 } });
  const vault = createVault({
    address: server.address,
    mount: 'secret',
    transitMount: 'transit',
    logIn,
    timeoutMs: 5000,
    clock,
    logger: silentLogger,
    ...more,
  });
  onTestFinished(() => vault[Symbol.asyncDispose]());
  return { clock, server, vault };
}

const place = { path: 'apps/github', field: 'token' };

it.each([
  ['token', byToken(rootToken)],
  ['AppRole', byRole],
])('reads a field by %s, with one log-in for all', async (_, logIn) => {
  const { vault, server } = await start(logIn);
  expect(await Promise.all([vault.read(place), vault.read(place)])).toEqual([
    'from the vault',
    'from the vault',
  ]);
  expect(await vault.read({ path: 'apps/github', field: 'nested' })).toBe('{"a":1}');
  expect(server.seen.filter((one) => one.includes('auth/'))).toHaveLength(1);
});

it('renews its token ahead of time, and logs in anew when it was taken back', async () => {
  let told = '';
  const renewal = Promise.withResolvers<void>();
  const { vault, server, clock } = await start(
    byRole,
    { ttlSeconds: 60 },
    {
      onRenewal(outcome) {
        told = outcome;
        renewal.resolve();
      },
    },
  );
  await vault.read(place);
  clock.advance(41_000);
  await renewal.promise;
  expect(told).toBe('ok');
  expect(server.seen.at(-1)).toBe('POST auth/token/renew-self');
  clock.advance(30_000);
  expect(await vault.read(place)).toBe('from the vault');
  server.revokeAll();
  expect(await vault.read(place)).toBe('from the vault');
  expect(server.seen.filter((one) => one.endsWith('approle/login'))).toHaveLength(2);
});

it('wraps and unwraps keys by transit', async () => {
  const { vault } = await start(byToken(rootToken));
  const ciphertext = await vault.encrypt('master', Buffer.from('a key'));
  expect(ciphertext).toMatch(/^vault:v1:/);
  expect((await vault.decrypt('master', ciphertext)).toString()).toBe('a key');
});

it('stays in its namespace, and says what is missing', async () => {
  const { vault } = await start(byToken(rootToken), { namespace: 'team-a' }, { namespace: 'team-a' });
  expect(await vault.read(place)).toBe('from the vault');
  await expect(vault.read({ ...place, field: 'none' })).rejects.toThrow('not found: apps/github none');
  await expect(vault.read({ ...place, path: 'none' })).rejects.toThrow('not found');
  await expect(vault.read({ ...place, path: '../sys/seal' })).rejects.toThrow(
    'must be names between slashes',
  );
  const outside = await start(byToken(rootToken), { namespace: 'team-a' });
  await expect(outside.vault.read(place)).rejects.toThrow('403: permission denied');
});

it('never tells what it sent', async () => {
  const { vault } = await start(byToken('wrong-token-text'));
  const error: unknown = await vault.read(place).catch((one: unknown) => one);
  expect(JSON.stringify([String(error), error])).toMatch(/403: permission denied/);
  expect(JSON.stringify([String(error), error])).not.toContain('wrong-token-text');
  const gone = createVault({
    address: 'http://127.0.0.1:9',
    mount: 'secret',
    transitMount: 'transit',
    logIn: byRole,
    timeoutMs: 2000,
    clock: createFakeClock(),
    logger: silentLogger,
  });
  await expect(gone.read(place)).rejects.toThrow('server vault is not reachable: ECONNREFUSED');
  await gone[Symbol.asyncDispose]();
});

it('trusts the certificates that it is given, and no others', async () => {
  await using folder = await createTempFolder();
  const file = (name: string) => join(folder.path, name);
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      file('key'),
      '-out',
      file('cert'),
      ...subject,
    ],
    { stdio: 'ignore' },
  );
  const tls = { key: readFileSync(file('key'), 'utf8'), cert: readFileSync(file('cert'), 'utf8') };
  const { vault } = await start(byToken(rootToken), { tls }, { ca: tls.cert });
  expect(await vault.read(place)).toBe('from the vault');
  const { vault: strict } = await start(byToken(rootToken), { tls });
  await expect(strict.read(place)).rejects.toThrow(/not reachable: .*SELF_SIGNED/);
});
