import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import { big, startWebSite, type WebSite } from '../../../test/fixtures/web-site.ts';
import httpClient from './http-client.ts';

let site: WebSite;
let base: string;
let harness: ServerHarness;

beforeAll(async () => {
  site = await startWebSite();
  base = `http://127.0.0.1:${site.port}`;
  harness = await createServerHarness(httpClient, { allowHosts: ['127.0.0.1'], maxDownloadBytes: 400_000 });
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const download = (args: object) =>
  harness.call<{ path: string }>('download_file', { url: `${base}/big`, ...args });

describe('download_file', () => {
  it('keeps the bytes, with their SHA-256', async () => {
    const sha256 = createHash('sha256').update(big).digest('hex');
    const kept = await download({ name: 'big.bin', sha256 });
    expect(kept).toMatchObject({ name: 'big.bin', bytes: big.length, sha256 });
    expect(await readFile(kept.path)).toEqual(big);
    expect(harness.progressUpdates.at(-1)).toMatchObject({ progress: big.length });
  });

  it('takes a safe name from the answer', async () => {
    expect(await download({ url: `${base}/named` })).toMatchObject({ name: 'กา.txt' });
  });

  it('keeps an existing file unless told otherwise', async () => {
    await download({ name: 'once' });
    await expect(download({ name: 'once' })).rejects.toThrow(/once exists/);
    expect(await download({ name: 'once', url: `${base}/thai`, overwrite: true })).toMatchObject({
      bytes: 36,
    });
  });

  it('lets only one of two at the same time have the name', async () => {
    const both = await Promise.allSettled([download({ name: 'race' }), download({ name: 'race' })]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('leaves nothing behind when it fails', async () => {
    await expect(download({ name: 'x1', sha256: '0'.repeat(64) })).rejects.toThrow(/sha256: the file has/);
    await expect(download({ name: 'x2', url: `${base}/bomb` })).rejects.toThrow(/maxDownloadBytes/);
    await expect(download({ name: 'x3', url: `${base}/cut` })).rejects.toThrow(/failed/);
    await expect(download({ name: 'x4', url: `${base}/missing` })).rejects.toThrow(/answered 404/);
    const names = await readdir(join(harness.dataDir, 'downloads'));
    expect(names.filter((name) => name.startsWith('x') || name.endsWith('.part'))).toEqual([]);
  });

  it.each(['../up', 'a/b', 'a\\b', 'C:x', 'nul', 'COM1.txt', '.hidden', 'x\u0000y', 'dot.'])(
    'refuses the name %j',
    async (name) => {
      await expect(download({ name })).rejects.toThrow(/name: .*not a plain file name/);
    },
  );
});
