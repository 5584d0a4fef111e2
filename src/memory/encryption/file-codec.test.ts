import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { addFanOut } from '../files/fan-out.ts';
import { keyPath, keyStem } from '../files/key-path.ts';
import { blobId, encodeMemoryFile } from '../files/memory-file.ts';
import { createFileCodec } from './file-codec.ts';
import { type Keyring, emptyKeyring } from './keyring.ts';
import { keyId } from './seal.ts';

const failing = (code: string) => expect.objectContaining({ code });
const secret = randomBytes(32);
const older = randomBytes(32);
const named = (name: string, bytes: Buffer) => ({ name, kid: keyId(bytes), secret: bytes });
const keyring: Keyring = {
  keys: [named('new', secret), named('old', older)],
  scopes: { 'server:*': ['new', 'old'] },
  subjects: [],
};
const codec = createFileCodec(keyring);
const scope = 'server:a';
const pathOf = (key: string, kind: 'json' | 'text' = 'json') => keyPath(scope, key, kind);

const files = fc.record(
  {
    tags: fc.constantFrom([], ['a'], ['a', 'ป้าย']),
    value: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
    ),
    expiresMs: fc.integer({ min: 0, max: 4e12 }),
    thread: fc.constantFrom('talk', 'คุย/1'),
    sequence: fc.maxSafeInteger(),
  },
  { requiredKeys: ['tags', 'value'] },
);

test('what was sealed comes back as it was, and nothing of it shows', () => {
  fc.assert(
    fc.property(files, fc.constantFrom('k', 'a/b', 'x'.repeat(300), 'ก'.repeat(80)), (file, key) => {
      const { bytes, kind } = codec.encode(scope, { ...file, key });
      expect(kind).toBe('json');
      const plain = codec.decode(scope, pathOf(key), bytes);
      expect(plain).toEqual({ ...file, key });
      expect(Object.keys(JSON.parse(bytes.toString()) as object)).toContain('sealed');
      expect(codec.inspect(scope, pathOf(key), bytes)).toMatchObject({ kid: keyId(secret) });
    }),
  );
});

test('a secret is not in the bytes', () => {
  const file = { key: 'k', value: 'hunter2', tags: ['secret-tag'], thread: 'secret-talk', sequence: 271828 };
  const { bytes } = codec.encode(scope, file);
  for (const text of ['hunter2', 'secret-tag', 'secret-talk', '271828', '"thread"', '"sequence"'])
    expect(bytes.includes(text)).toBe(false);
});

test('a scope in clear is written as ever', () => {
  const file = { key: 'k', value: 'text', tags: ['a'] };
  expect(codec.encode('shared', file)).toEqual({ bytes: encodeMemoryFile(file), kind: 'text' });
  const value = { sealed: { alg: 'A256GCM-HS256' } };
  const { bytes } = codec.encode('shared', { key: 'k', value, tags: [] });
  expect(codec.decode('shared', 'shared/k.json', bytes).value).toEqual(value);
});

describe('equal content', () => {
  it('is an equal blob on every replica with the key, whatever it calls it', () => {
    const file = { key: 'k', value: { a: 1 }, tags: [] };
    const replica = createFileCodec({
      keys: [named('other-name', secret)],
      scopes: { '*': ['other-name'] },
      subjects: [],
    });
    expect(blobId(replica.encode(scope, file).bytes)).toBe(blobId(codec.encode(scope, file).bytes));
  });

  it('is another blob under another key of the memory, in another scope, with another expiry', () => {
    const file = { key: 'k', value: { a: 1 }, tags: [] };
    const blobs = [
      codec.encode(scope, file),
      codec.encode('server:b', file),
      codec.encode(scope, { ...file, key: 'l' }),
      codec.encode(scope, { ...file, expiresMs: 5 }),
    ].map(({ bytes }) => (JSON.parse(bytes.toString()) as { sealed: { data: string } }).sealed.data);
    expect(new Set(blobs).size).toBe(4);
  });
});

describe('a sealed file', () => {
  const { bytes } = codec.encode(scope, { key: 'k', value: 'v', tags: ['t'], expiresMs: 60_000 });

  it('without its key is a clear error that names the key, and its expiry is known', () => {
    const blind = createFileCodec(emptyKeyring);
    expect(() => blind.decode(scope, pathOf('k'), bytes)).toThrowError(failing('MEMORY_SEALED'));
    expect(() => blind.decode(scope, pathOf('k'), bytes)).toThrowError(keyId(secret));
    expect(blind.inspect(scope, pathOf('k'), bytes)).toEqual({ kid: keyId(secret), expiresMs: 60_000 });
  });

  it('tells its key in clear only where the path does not', () => {
    const blind = createFileCodec(emptyKeyring);
    const long = 'x'.repeat(300);
    const sealed = codec.encode(scope, { key: long, value: 1, tags: [] });
    expect(blind.inspect(scope, pathOf(long), sealed.bytes).key).toBe(long);
    expect(blind.inspect(scope, pathOf('k'), bytes).key).toBeUndefined();
  });

  it('cannot be moved to another place or changed', () => {
    expect(() => codec.decode(scope, pathOf('l'), bytes)).toThrowError(failing('MEMORY_SEALED'));
    expect(() => codec.decode('server:b', pathOf('k'), bytes)).toThrowError(failing('MEMORY_SEALED'));
    const later = bytes.toString().replace('1970-01-01T00:01:00.000Z', '1999-01-01T00:01:00.000Z');
    expect(() => codec.decode(scope, pathOf('k'), Buffer.from(later))).toThrowError(failing('MEMORY_SEALED'));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const { file } = codec.inspect(scope, pathOf('k'), changed);
        // It is refused, or no envelope of ours any more, or the change was outside of what counts (white space).
        if (file?.key === 'k') expect(file).toEqual({ key: 'k', value: 'v', tags: ['t'], expiresMs: 60_000 });
      }),
    );
  });

  it('may move within its folder when that is fanned out, and nowhere else', () => {
    for (const key of ['k', 'x'.repeat(300)]) {
      const file = { key, value: 'v', tags: [] };
      const sealed = codec.encode(scope, file).bytes;
      for (const levels of [2, 3, 4]) {
        const path = `${addFanOut(keyStem(scope, key), key, levels)}.json`;
        expect(codec.decode(scope, path, sealed)).toEqual(file);
      }
      const other = `${addFanOut(keyStem(scope, `${key}/k`), key, 2)}.json`;
      expect(() => codec.decode(scope, other, sealed)).toThrowError(failing('MEMORY_SEALED'));
    }
  });

  it('of an unknown algorithm is sealed too, not a value', () => {
    const other = Buffer.from(bytes.toString().replace('A256GCM-HS256', 'A512-NEW'));
    expect(codec.inspect(scope, pathOf('k'), other)).toEqual({ kid: keyId(secret), expiresMs: 60_000 });
    expect(() => codec.decode(scope, pathOf('k'), other)).toThrowError(failing('MEMORY_SEALED'));
  });

  it('is readable after a rotation, and new values get the new key', () => {
    const before = createFileCodec({ ...keyring, scopes: { '*': ['old'] } });
    const sealed = before.encode(scope, { key: 'k', value: 1, tags: [] }).bytes;
    expect(codec.decode(scope, pathOf('k'), sealed).value).toBe(1);
    expect(codec.inspect(scope, pathOf('k'), sealed).kid).toBe(keyId(older));
    expect(codec.activeKid(scope)).toBe(keyId(secret));
    expect(codec.activeKid('shared')).toBeUndefined();
  });
});

test('the key of a subject seals in any scope, and nothing opens without it', () => {
  const kid = 'subject-0011';
  const own = createFileCodec(emptyKeyring);
  const file = { key: 'k', value: 'v', tags: [], subjectKid: kid };
  expect(() => own.encode('shared', file)).toThrowError(failing('MEMORY_SEALED'));
  own.setSubjectKey(kid, randomBytes(32));
  const { bytes } = own.encode('shared', file);
  expect(own.decode('shared', 'shared/k.json', bytes)).toEqual(file);
  own.setSubjectKey(kid, null);
  expect(() => own.decode('shared', 'shared/k.json', bytes)).toThrowError(/its subject/);
});

test('a keyring can be cloned into a thread', () => {
  const { bytes } = codec.encode(scope, { key: 'k', value: 'v', tags: [] });
  expect(createFileCodec(structuredClone(keyring)).decode(scope, pathOf('k'), bytes).value).toBe('v');
});

test('what is too large when sealed is refused', () => {
  const value = 'x'.repeat(7 * 1024 * 1024);
  expect(() => codec.encode(scope, { key: 'k', value, tags: [] })).toThrowError(failing('PAYLOAD_TOO_LARGE'));
});
