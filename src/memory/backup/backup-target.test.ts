import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { s3DoubleKeys, startS3Double } from '../../../test/fixtures/s3-double.ts';
import { type BackupTarget, readAll } from './backup-target.ts';
import { createFolderTarget } from './folder-target.ts';
import { createS3Target } from './s3/s3-target.ts';

const failing = (code: string) => expect.objectContaining({ code });
const retryDelaysMs = [0, 0];

async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(20);
  throw Object.assign(new Error('the source broke'), { code: 'EPIPE' });
}

const s3Target = (endpoint: string, partBytes?: number) =>
  createS3Target({
    bucket: 'bucket',
    prefix: 'a/b',
    endpoint,
    region: 'us-east-1',
    credentials: s3DoubleKeys,
    retryDelaysMs,
    ...(partBytes !== undefined && { partBytes }),
  });

type OpenTarget = () => Promise<{ target: BackupTarget } & AsyncDisposable>;

const kinds: readonly (readonly [string, OpenTarget])[] = [
  [
    'a folder',
    async () => {
      const folder = await createTempFolder();
      return {
        target: createFolderTarget(join(folder.path, 'deep', 'backups')),
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
      };
    },
  ],
  [
    'a bucket',
    async () => {
      const double = await startS3Double();
      return {
        target: s3Target(double.endpoint, 16),
        [Symbol.asyncDispose]: () => double[Symbol.asyncDispose](),
      };
    },
  ],
];

describe.each(kinds)('%s', (_name, open) => {
  it('keeps, lists, replaces, reads and removes files', async () => {
    await using opened = await open();
    const { target } = opened;
    expect(await target.list()).toEqual([]);
    await target.put('one/small file.json', chunksOf(Buffer.from('{}')));
    await target.put('one/empty', chunksOf());
    await target.put('two/large', chunksOf(Buffer.alloc(10, 1), Buffer.alloc(17, 2), Buffer.alloc(16, 3)));
    await target.put('two/other', chunksOf(Buffer.alloc(3)));
    await target.put('two/other', chunksOf(Buffer.alloc(4)));
    expect((await target.list()).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'one/empty', bytes: 0 },
      { name: 'one/small file.json', bytes: 2 },
      { name: 'two/large', bytes: 43 },
      { name: 'two/other', bytes: 4 },
    ]);
    const large = await readAll(target.get('two/large'), 100);
    expect(large).toEqual(Buffer.concat([Buffer.alloc(10, 1), Buffer.alloc(17, 2), Buffer.alloc(16, 3)]));
    await expect(readAll(target.get('two/large'), 42)).rejects.toThrowError(RangeError);
    await target.remove(['one/empty', 'one/small file.json', 'one/never was']);
    expect((await target.list()).map(({ name }) => name).sort()).toEqual(['two/large', 'two/other']);
    await expect(readAll(target.get('one/empty'), 1)).rejects.toThrowError(failing('NOT_FOUND'));
  });

  it('keeps nothing of a file whose source breaks', async () => {
    await using opened = await open();
    await opened.target.put('one/a', chunksOf(Buffer.from('before')));
    await expect(opened.target.put('one/a', broken())).rejects.toThrowError();
    await expect(opened.target.put('one/b', broken())).rejects.toThrowError();
    expect(await opened.target.list()).toEqual([{ name: 'one/a', bytes: 6 }]);
    expect((await readAll(opened.target.get('one/a'), 10)).toString()).toBe('before');
  });
});

describe('a folder', () => {
  it('sweeps what an interrupted write left, when it is old', async () => {
    await using folder = await createTempFolder();
    const target = createFolderTarget(folder.path);
    await mkdir(join(folder.path, 'one'));
    await writeFile(join(folder.path, 'one', 'x.partial'), 'half');
    expect(await target.list()).toEqual([]);
    await target.sweep(0);
    await target.put('one/x', chunksOf(Buffer.from('whole')));
    await target.sweep(Date.now() + 60_000);
    expect(await target.list()).toEqual([{ name: 'one/x', bytes: 5 }]);
  });
});

describe('a bucket', () => {
  it('cuts any stream into parts that come together again', async () => {
    await using double = await startS3Double();
    const target = s3Target(double.endpoint, 7);
    const chunk = fc.uint8Array({ maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 8 }), async (chunks) => {
        await target.put('x', chunksOf(...chunks));
        expect(double.objects.get('a/b/x')).toEqual(Buffer.concat(chunks));
      }),
      { numRuns: 20 },
    );
    expect(double.uploads.size).toBe(0);
  });

  it('is asked again when it is busy, not when it refuses', async () => {
    await using double = await startS3Double();
    const target = s3Target(double.endpoint);
    double.failNext = 2;
    await target.put('x', chunksOf(Buffer.from('1')));
    double.failNext = 3;
    await expect(target.list()).rejects.toThrowError(failing('BACKUP_FAILED'));
    double.requests.length = 0;
    const wrong = createS3Target({
      bucket: 'bucket',
      prefix: '',
      endpoint: double.endpoint,
      region: 'us-east-1',
      credentials: { ...s3DoubleKeys, secretAccessKey: 'other' },
      retryDelaysMs,
    });
    const refused = await wrong.list().catch((error: Error) => error.message);
    expect(refused).toContain('403 SignatureDoesNotMatch: no & never');
    expect(refused).not.toContain('other');
    expect(double.requests).toHaveLength(1);
    const nobody = createS3Target({
      bucket: 'none',
      prefix: '',
      endpoint: double.endpoint,
      region: 'x',
      credentials: s3DoubleKeys,
    });
    await expect(nobody.list()).rejects.toThrowError(failing('BACKUP_FAILED'));
  });

  it('loses the parts of an upload that breaks, at once or at the next sweep', async () => {
    await using double = await startS3Double();
    const target = s3Target(double.endpoint, 10);
    const parts = () => chunksOf(Buffer.alloc(10), Buffer.alloc(10), Buffer.alloc(10));
    let puts = 0;
    double.breakOn = (method) => method === 'PUT' && (puts += 1) >= 3;
    await expect(target.put('x', parts())).rejects.toThrowError(failing('BACKUP_FAILED'));
    expect(double.uploads.size).toBe(0);
    puts = 0;
    double.breakOn = (method) => method === 'DELETE' || (method === 'PUT' && (puts += 1) >= 3);
    await expect(target.put('x', parts())).rejects.toThrowError(failing('BACKUP_FAILED'));
    expect(double.uploads.size).toBe(1);
    double.breakOn = undefined;
    await target.sweep(Date.parse('2019-01-01'));
    expect(double.uploads.size).toBe(1);
    await target.sweep(Date.now());
    expect(double.uploads.size).toBe(0);
    expect(double.objects.size).toBe(0);
  });
});
