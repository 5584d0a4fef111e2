import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainConfig } from './explain-config.ts';
import { loadConfig } from './load-config.ts';
import { resolveBackup } from './resolve-backup.ts';

const failing = (message: RegExp) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });

async function load(backup: object | undefined) {
  const cwd = await mkdtemp(join(tmpdir(), 'git-memory-backup-'));
  await writeFile(join(cwd, 'config.json'), JSON.stringify({ memory: { ...(backup && { backup }) } }));
  await writeFile(join(cwd, 'key'), 'a passphrase of words\n');
  const loaded = await loadConfig({ env: {}, cwd, file: 'config.json' });
  return { cwd, loaded, [Symbol.asyncDispose]: () => rm(cwd, { recursive: true }) };
}

describe('memory.backup', () => {
  it('is off unless it is there', async () => {
    await using config = await load(undefined);
    expect(await resolveBackup(config.loaded)).toBeUndefined();
  });

  it('comes with absolute paths, defaults, and references read', async () => {
    await using folder = await load({ to: '../b', at: '03:30', encryptionKey: { file: 'key' } });
    expect(await resolveBackup(folder.loaded)).toEqual({
      to: join(folder.cwd, '..', 'b'),
      at: '03:30',
      keep: { last: 7, daily: 7, weekly: 4 },
      region: 'us-east-1',
      encryptionKey: 'a passphrase of words',
    });
    const credentials = { accessKeyId: { env: 'ID' }, secretAccessKey: { env: 'SECRET' } };
    await using bucket = await load({
      to: 's3://b/p',
      everyHours: 0.5,
      endpoint: 'http://minio:9000',
      credentials,
    });
    expect(await resolveBackup(bucket.loaded, { ID: 'i', SECRET: 's' })).toMatchObject({
      to: 's3://b/p',
      credentials: { accessKeyId: 'i', secretAccessKey: 's' },
    });
    await expect(resolveBackup(bucket.loaded, { ID: 'i' })).rejects.toThrowError(
      failing(/memory.backup.credentials.secretAccessKey needs the environment variable SECRET/),
    );
    const explained = explainConfig(bucket.loaded).filter(({ path }) => path.startsWith('memory.backup.'));
    expect(explained.find(({ path }) => path.endsWith('.to'))).toMatchObject({
      value: 's3://b/p',
      source: 'file',
    });
  });

  it('is refused in the data folder, without credentials for a bucket, and with a secret in it', async () => {
    await using config = await load({ to: '.git-memory/backups' });
    await expect(resolveBackup(config.loaded)).rejects.toThrowError(failing(/is in the data folder/));
    await expect(load({ to: 's3://b/p' })).rejects.toThrowError(failing(/needs credentials/));
    await expect(load({ to: 'x', encryptionKey: 'plain text' })).rejects.toThrowError(
      failing(/encryptionKey/),
    );
    await expect(load({ to: 'x', at: '25:00' })).rejects.toThrowError(failing(/03:30/));
  });
});
