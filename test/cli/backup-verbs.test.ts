import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTestMemory } from '../fixtures/memory-in-temp.ts';
import { s3DoubleKeys, startS3Double } from '../fixtures/s3-double.ts';
import { at } from './coordinator-double.ts';
import { useCommandLine } from './use-command-line.ts';

const cli = useCommandLine();

const ask = (...args: string[]) => cli.run(['memory', ...args]);
const keep = { last: 5, daily: 0, weekly: 0 };

describe('verbs that keep the memory safe', () => {
  it('make and list backups', async () => {
    const made = await ask('backup');
    expect(made.stdout).toBe(`b2\t${at}\t2.0 KiB\t7\tencrypted\nb1\t${at}\t1 B\t0\tit is torn\n`);
    expect(made.stderr).toBe('deleted 1 outdated or interrupted\n');
    expect((await ask('backup', 'list')).stderr).toContain(`in /backups, next at ${at}\n`);
    expect(cli.double.seen.map(({ body }) => body)).toEqual([{ action: 'create' }, { action: 'list' }]);
    expect(JSON.parse((await ask('backup', 'list', '--json')).stdout)).toMatchObject({ removed: ['b0'] });
    expect((await ask('backup', 'burn')).code).toBe(2);
  });

  it('verify, with an exit code that tells', async () => {
    const sound = await ask('verify', '--backups');
    expect([sound.code, sound.stdout]).toEqual([0, 'error\tsearch\tis empty\treindex\n']);
    const damaged = await ask('verify', '--full', '--json');
    expect([damaged.code, JSON.parse(damaged.stdout)]).toEqual([
      1,
      expect.objectContaining({ healthy: false }),
    ]);
    expect(cli.double.seen.map(({ body }) => body)).toEqual([{ backups: true }, { full: true }]);
  });

  it('reindex', async () => {
    expect((await ask('reindex')).stderr).toBe('indexed 3 keys and 4 versions in 0.25 s\n');
    expect(JSON.parse((await ask('reindex', '--json')).stdout)).toEqual({
      keys: 3,
      versions: 4,
      seconds: 0.25,
    });
  });

  it('verify and recover a data folder on which nothing runs', async () => {
    const backups = join(cli.sandbox.project, 'backups');
    await using test = await openTestMemory({ backup: { to: backups, keep } });
    await test.call('store', { key: 'a', value: 1 });
    await test.call('backup', {});
    const busy = await cli.sandbox.run(['memory', 'verify', '--offline', '--data', test.dataDir]);
    expect([busy.code, busy.stderr]).toEqual([7, expect.stringContaining('error ALREADY_RUNNING')]);
    const into = ['memory', 'recover', '--from', 'backups', '--data', 'recovered'];
    const done = await cli.sandbox.run(into);
    expect([done.code, done.stdout]).toEqual([
      0,
      expect.stringMatching(/^data folder\t.*recovered\nbackup\t/),
    ]);
    // Nobody answers, so the files are checked.
    const verified = await cli.sandbox.run(['memory', 'verify', '--data', 'recovered', '--json']);
    expect(verified.stderr).toContain('no coordinator is asked; checking the files of');
    expect([verified.code, JSON.parse(verified.stdout)]).toEqual([
      0,
      expect.objectContaining({ healthy: true }),
    ]);
    const refused = await cli.sandbox.run(into);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('is not empty; --replace moves it aside'),
    ]);
    expect(JSON.parse((await cli.sandbox.run([...into, '--replace', '--json'])).stdout)).toMatchObject({
      kind: 'backup',
      replaced: expect.stringContaining('recovered.replaced-'),
    });
    await writeFile(join(cli.sandbox.project, 'recovered', 'memory.git', 'refs', 'heads', 'main'), 'x');
    const damaged = await cli.sandbox.run(['memory', 'verify', '--data', 'recovered']);
    expect([damaged.code, damaged.stdout]).toEqual([
      1,
      expect.stringContaining('error\tref refs/heads/main\t'),
    ]);
    expect((await cli.sandbox.run(['memory', 'recover', '--data', 'x'])).code).toBe(2);
  });

  it('recover from a bucket, with keys from the environment or the config', async () => {
    await using bucket = await startS3Double();
    const { accessKeyId, secretAccessKey } = s3DoubleKeys;
    const secrets = { ID: accessKeyId, SECRET: secretAccessKey, KEY: 'a passphrase of words' };
    const place = { to: 's3://bucket/m', endpoint: bucket.endpoint };
    const settings = { ...place, credentials: s3DoubleKeys, encryptionKey: secrets.KEY, keep };
    await using test = await openTestMemory({ backup: settings });
    await test.call('store', { key: 'a', value: 1 });
    await test.call('backup', {});
    const recover = (data: string, args: string[], env: Record<string, string>) =>
      cli.sandbox.run(['memory', 'recover', '--from', place.to, '--data', data, ...args], { env });
    const aws = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL: bucket.endpoint,
    };
    const without = await recover('b1', [], aws);
    expect([without.code, without.stderr]).toEqual([12, expect.stringContaining('no key was given')]);
    const withKey = await recover('b1', ['--key-env', 'KEY'], { ...aws, ...secrets });
    expect([withKey.code, withKey.stderr]).toEqual([0, '']);
    expect((await recover('b2', [], {})).stderr).toContain('AWS_ACCESS_KEY_ID');
    const folder = join(cli.sandbox.project, 'configured');
    await mkdir(folder);
    const credentials = { accessKeyId: { env: 'ID' }, secretAccessKey: { env: 'SECRET' } };
    const config = { memory: { backup: { ...place, credentials, encryptionKey: { env: 'KEY' } } } };
    await writeFile(join(folder, 'c.json'), JSON.stringify(config));
    const configured = await recover('b2', ['--config', 'configured/c.json'], secrets);
    expect([configured.code, configured.stderr]).toEqual([0, '']);
    expect(await readdir(join(cli.sandbox.project, 'b2'))).toEqual(['journal', 'memory.git']);
  });
});
