import { randomBytes } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { activeKey, openKeyring } from './keyring.ts';

const failing = (code: string) => expect.objectContaining({ code });

test('a key is 32 bytes in hex, base64 or base64url', async () => {
  await using folder = await createTempFolder();
  const secret = randomBytes(32);
  const forms = [secret.toString('hex'), secret.toString('base64'), `${secret.toString('base64url')}\n`];
  for (const form of forms) {
    const { keys } = openKeyring(folder.path, { main: form }, {});
    expect(Buffer.from(keys[0]?.secret ?? []).equals(secret)).toBe(true);
  }
});

test('a passphrase gives the same key again as long as the salt is there, which only the owner reads', async () => {
  await using folder = await createTempFolder();
  const open = () => openKeyring(folder.path, { main: 'correct horse battery' }, {}).keys[0]?.kid;
  const first = open();
  expect(open()).toBe(first);
  const salt = join(folder.path, 'keys.salt');
  if (process.platform !== 'win32') expect(statSync(salt).mode & 0o777).toBe(0o600);
  rmSync(salt);
  expect(open()).not.toBe(first);
});

test('short passphrases and unknown names are refused, without the secret in the error', async () => {
  await using folder = await createTempFolder();
  expect(() => openKeyring(folder.path, { main: 'hunter2' }, {})).toThrowError(failing('CONFIG_INVALID'));
  expect(() => openKeyring(folder.path, { main: 'hunter2' }, {})).not.toThrowError(/hunter2/);
  expect(() => openKeyring(folder.path, {}, { shared: ['main'] })).toThrowError(/names no key/);
});

test('the first key of the closest pattern is for new values', async () => {
  await using folder = await createTempFolder();
  const secrets = { a: randomBytes(32).toString('hex'), b: randomBytes(32).toString('hex') };
  const keyring = openKeyring(folder.path, secrets, { '*': ['a'], 'server:*': ['b', 'a'], shared: [] });
  expect(activeKey(keyring, 'coordinator')).toMatchObject({ name: 'a' });
  expect(activeKey(keyring, 'server:x')).toMatchObject({ name: 'b' });
  expect(activeKey(keyring, 'shared')).toBeUndefined();
});
