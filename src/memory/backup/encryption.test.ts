import { createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAll } from './backup-target.ts';
import { createBackupKey } from './encryption.ts';

const key = createBackupKey(randomBytes(32).toString('base64'));
const damaged = expect.objectContaining({ code: 'BACKUP_DAMAGED' });

async function* pieces(bytes: Uint8Array, sizes: readonly number[] = []): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const limit = 1_000_000;
const encrypt = (bytes: Uint8Array, name = 'n') => readAll(key.encrypt(pieces(bytes, [1000]), name), limit);
const decrypt = (bytes: Uint8Array, name = 'n', by = key) =>
  readAll(by.decrypt(pieces(bytes, [777]), name), limit);
const chunk = 64 * 1024;

describe('encrypted files', () => {
  it.each([0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk])('come back: %i bytes', async (length) => {
    const plain = randomBytes(length);
    const sealed = await encrypt(plain);
    expect(sealed.includes(plain.subarray(0, 32)) && length > 32).toBe(false);
    expect(await decrypt(sealed)).toEqual(plain);
    expect(await encrypt(plain)).not.toEqual(sealed);
  });

  it('come back however the stream is cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 200_000 }), sizes, sizes, async (length, write, read) => {
        const plain = Buffer.alloc(length, 'ก๑x');
        const sealed = await readAll(key.encrypt(pieces(plain, write), 'n'), limit);
        expect(await readAll(key.decrypt(pieces(sealed, read), 'n'), limit)).toEqual(plain);
      }),
      { numRuns: 30 },
    );
  });

  it('are refused with any byte altered, cut off, swapped or under another name', async () => {
    const sealed = await encrypt(randomBytes(2 * chunk + 500));
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const altered = Buffer.from(sealed);
        altered.writeUInt8(altered.readUInt8(at) ^ by, at);
        await expect(decrypt(altered)).rejects.toThrowError(damaged);
        await expect(decrypt(sealed.subarray(0, at))).rejects.toThrowError(damaged);
      }),
      { numRuns: 60 },
    );
    const headEnd = sealed.indexOf('}') + 1;
    const [head, first, second, rest] = [
      sealed.subarray(0, headEnd),
      sealed.subarray(headEnd, headEnd + chunk + 16),
      sealed.subarray(headEnd + chunk + 16, headEnd + 2 * (chunk + 16)),
      sealed.subarray(headEnd + 2 * (chunk + 16)),
    ];
    expect(await decrypt(Buffer.concat([head, first, second, rest]))).toHaveLength(2 * chunk + 500);
    for (const wrong of [
      [head, second, first, rest],
      [head, first, rest],
      [head, first, second],
      [head, rest],
    ])
      await expect(decrypt(Buffer.concat(wrong))).rejects.toThrowError(damaged);
    await expect(decrypt(sealed, 'other')).rejects.toThrowError(damaged);
    await expect(decrypt(sealed, 'n', createBackupKey(randomBytes(32).toString('hex')))).rejects.toThrowError(
      damaged,
    );
    await expect(decrypt(sealed, 'n', createBackupKey('a passphrase instead'))).rejects.toThrowError(damaged);
  });

  it('are what the head of the file says: HKDF, then AES-256-GCM with counter and last mark', async () => {
    const raw = randomBytes(32);
    const sealed = await readAll(
      createBackupKey(raw.toString('hex')).encrypt(pieces(Buffer.from('plain')), 'n'),
      limit,
    );
    const headEnd = 12 + sealed.readUInt32LE(8);
    const head = JSON.parse(sealed.toString('utf8', 12, headEnd)) as { fileSalt: string };
    const salt = Buffer.from(head.fileSalt, 'base64');
    const fileKey = Buffer.from(hkdfSync('sha256', raw, salt, 'git-memory backup n', 32));
    const decipher = createDecipheriv('aes-256-gcm', fileKey, Buffer.from('000000000000000000000001', 'hex'));
    decipher.setAAD(sealed.subarray(0, headEnd));
    decipher.setAuthTag(sealed.subarray(-16));
    expect(Buffer.concat([decipher.update(sealed.subarray(headEnd, -16)), decipher.final()]).toString()).toBe(
      'plain',
    );
  });

  it('open with a passphrase, whatever its Unicode form, and with no other', async () => {
    const by = createBackupKey('café au lait et croissant');
    const sealed = await readAll(by.encrypt(pieces(Buffer.from('plain')), 'n'), limit);
    const again = createBackupKey('cafe\u0301 au lait et croissant');
    expect((await decrypt(sealed, 'n', again)).toString()).toBe('plain');
    await expect(decrypt(sealed, 'n', createBackupKey('cafe au lait et croissant'))).rejects.toThrowError(
      damaged,
    );
  });

  it('take no short key, and no cost that eats all memory', async () => {
    expect(() => createBackupKey('short')).toThrowError(expect.objectContaining({ code: 'INVALID_INPUT' }));
    const head = Buffer.from(
      JSON.stringify({ kdf: 'scrypt', fileSalt: 'x', scrypt: { salt: '', N: 2 ** 30, r: 8, p: 1 } }),
    );
    const length = Buffer.alloc(4);
    length.writeUInt32LE(head.length);
    await expect(
      decrypt(Buffer.concat([Buffer.from('GMenc1\r\n'), length, head, Buffer.alloc(99)])),
    ).rejects.toThrowError(damaged);
  });
});
