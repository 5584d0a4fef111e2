import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTempFolder } from '../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../kernel/clock.ts';
import { openStore } from '../store/open-store.ts';
import { openSecret, rewrapKey, sealSecret } from './envelope.ts';
import { createLocalSecrets } from './local-secrets.ts';
import type { KeySource } from './master-key.ts';

const key = (byte: number) => Buffer.alloc(32, byte);
const text = (byte: number): KeySource => ({ kind: 'text', read: async () => key(byte).toString('base64') });
const phrase = (words: string): KeySource => ({ kind: 'passphrase', read: async () => words });
const place = { tenant: 'default', owner: '', name: 'github-token' };

async function openIn(folder: string, source: KeySource, versions = 5) {
  const store = await openStore(folder);
  onTestFinished(() => store[Symbol.asyncDispose]());
  const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));
  return { store, local: createLocalSecrets({ rows: store.secrets, clock, key: source, versions }) };
}

async function folder(): Promise<string> {
  const made = await createTempFolder();
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made.path;
}

describe('a sealed secret', () => {
  const places = fc.record({ tenant: fc.string(), owner: fc.string(), name: fc.string(), version: fc.nat() });

  it('opens with its key, in its place, and under another key after it was wrapped anew', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), places, (plain, at) => {
        const sealed = sealSecret(key(1), at, plain);
        expect(openSecret(key(1), at, sealed)).toBe(plain.toWellFormed());
        const wrapped = rewrapKey(key(1), key(2), at, sealed.wrapped);
        expect(openSecret(key(2), at, { ...sealed, wrapped })).toBe(plain.toWellFormed());
        expect(() => openSecret(key(2), at, sealed)).toThrow();
      }),
    ));

  it('opens in no other place, and not when a byte of it has changed', () =>
    fc.assert(
      fc.property(places, places, fc.nat(), fc.boolean(), (at, other, n, isKey) => {
        const sealed = sealSecret(key(1), at, 'ความลับ');
        fc.pre(JSON.stringify(at) !== JSON.stringify(other));
        expect(() => openSecret(key(1), other, sealed)).toThrow();
        const field = isKey ? 'wrapped' : 'sealed';
        const bytes = Buffer.from(sealed[field].slice(2), 'base64url');
        bytes[n % bytes.length]! ^= 1;
        const changed = { ...sealed, [field]: `1.${bytes.toString('base64url')}` };
        expect(() => openSecret(key(1), at, changed)).toThrow();
      }),
    ));
});

describe('the local store', () => {
  it('makes its key with the first secret, for the owner only', async () => {
    const dir = await folder();
    const path = join(dir, 'secrets.key');
    const { local } = await openIn(dir, { kind: 'file', path, mayCreate: true });
    expect(await local.find(place)).toBeUndefined();
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await local.set(place, 'first');
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600);
    const other = await openIn(dir, { kind: 'file', path, mayCreate: true });
    expect((await other.local.find(place))?.text).toBe('first');
  });

  it('keeps versions as many as it is told, and tenants and users apart', async () => {
    const { local, store } = await openIn(await folder(), text(1), 2);
    for (const value of ['a', 'b', 'c']) await local.set(place, value);
    await local.set({ ...place, owner: 'key:1' }, 'of one');
    await local.set({ ...place, tenant: 'acme' }, 'of acme');
    expect((await local.find(place))?.text).toBe('c');
    expect((await local.find({ ...place, owner: 'key:1' }))?.text).toBe('of one');
    expect(await local.find({ ...place, owner: 'key:2' })).toBeUndefined();
    expect((await local.list('default')).map(({ owner, version }) => [owner, version])).toEqual([
      ['', 3],
      ['key:1', 1],
    ]);
    const all = await store.secrets.list('acme');
    expect(JSON.stringify([all, await local.list('default')])).not.toContain('wrapped');
    await local.remove(place);
    await expect(local.remove(place)).rejects.toThrow('secret not found: github-token');
  });

  it('counts those whose newest version runs out soon', async () => {
    const { local, store } = await openIn(await folder(), text(1));
    await local.set(place, 'old', '2026-01-02T00:00:00.000Z');
    await local.set(place, 'new', '2026-03-01T00:00:00.000Z');
    await local.set({ ...place, name: 'other' }, 'x', '2026-01-02T00:00:00.000Z');
    await local.set({ ...place, name: 'lasting' }, 'x');
    expect(await store.secrets.countExpiring('2026-02-01T00:00:00.000Z')).toBe(1);
  });

  it('gives concurrent writers a version each', async () => {
    const { local } = await openIn(await folder(), text(1), 50);
    const made = await Promise.all(Array.from({ length: 20 }, (_, n) => local.set(place, `value ${n}`)));
    expect(new Set(made.map(({ version }) => version)).size).toBe(20);
  });

  it.each([
    ['text', text(1), text(2)],
    ['passphrase', phrase('correct horse battery'), phrase('another horse battery')],
  ])('says so when the %s is another one', async (_, right, wrong) => {
    const dir = await folder();
    await (await openIn(dir, right)).local.set(place, 'kept');
    expect((await (await openIn(dir, right)).local.find(place))?.text).toBe('kept');
    const { local } = await openIn(dir, wrong);
    await expect(local.find(place)).rejects.toThrow(/secrets\.local\.key: is another key \(\w+\) than/);
    await expect(local.set(place, 'x')).rejects.toThrow(/is another key/);
  });

  it.each<[KeySource, RegExp]>([
    [{ kind: 'text', read: async () => 'short' }, /must be 32 bytes in base64 or hex/],
    [phrase('short'), /12 characters or more/],
    [{ kind: 'file', path: '/nowhere/at/all', mayCreate: false }, /not there; make one/],
  ])('refuses a key that is none: %j', async (source, words) => {
    const { local } = await openIn(await folder(), source);
    await expect(local.set(place, 'x')).rejects.toThrow(words);
  });

  it.each(['', '../x', 'a//b', '.x', 'x/', 'ก', 'a b', 'x'.repeat(129)])(
    'refuses the name %j',
    async (name) => {
      const { local } = await openIn(await folder(), text(1));
      await expect(local.set({ ...place, name }, 'x')).rejects.toThrow('name: must be letters');
    },
  );

  it('tells a row that was moved from another secret', async () => {
    const { local, store } = await openIn(await folder(), text(1));
    await local.set(place, 'x');
    const row = (await store.secrets.newest(place))!;
    await store.secrets.add({
      place: { ...place, name: 'other' },
      masterKeyId: (await store.secrets.masterKey())!.id,
      seal: () => row,
      keep: 1,
      createdAt: row.createdAt,
      expiresAt: null,
    });
    await expect(local.find({ ...place, name: 'other' })).rejects.toThrow(/its row was changed/);
  });
});

describe('rotation of the master key', () => {
  it('goes to one that a service keeps wrapped, which is all that is kept of it', async () => {
    const dir = await folder();
    const flipped = (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 0x5a));
    const transit: KeySource = {
      kind: 'transit',
      wrap: async (bytes) => flipped(bytes).toString('base64'),
      unwrap: async (wrapped) => flipped(Buffer.from(wrapped, 'base64')),
    };
    const { local, store } = await openIn(dir, text(1));
    await local.set(place, 'kept');
    await local.rotateKey(transit);
    const { local: other } = await openIn(dir, transit);
    expect((await other.find(place))?.text).toBe('kept');
    expect(Object.keys(JSON.parse((await store.secrets.masterKey())!.parameters) as object)).toEqual([
      'ciphertext',
    ]);
    await expect((await openIn(dir, text(1))).local.find(place)).rejects.toThrow('is another key');
  });

  it('of a file puts another one there, and other processes take it', async () => {
    const dir = await folder();
    const source: KeySource = { kind: 'file', path: join(dir, 'secrets.key'), mayCreate: true };
    const { local } = await openIn(dir, source);
    const { local: running } = await openIn(dir, source);
    await local.set(place, 'kept');
    await running.find(place);
    const before = await readFile(source.path, 'utf8');
    expect(await local.rotateKey()).toBe(1);
    expect(await readFile(source.path, 'utf8')).not.toBe(before);
    expect((await running.find(place))?.text).toBe('kept');
    await running.set(place, 'newer');
    expect((await local.find(place))?.text).toBe('newer');
  });

  it('that was cut short after the store goes on with the key that stands beside', async () => {
    const dir = await folder();
    const path = join(dir, 'secrets.key');
    const source: KeySource = { kind: 'file', path, mayCreate: true };
    const { local } = await openIn(dir, source);
    await local.set(place, 'kept');
    const former = await readFile(path, 'utf8');
    await local.rotateKey();
    await rename(path, `${path}.next`);
    await writeFile(path, former);
    expect((await (await openIn(dir, source)).local.find(place))?.text).toBe('kept');
  });

  it('that was cut short before the store changes nothing', async () => {
    const dir = await folder();
    const path = join(dir, 'secrets.key');
    const source: KeySource = { kind: 'file', path, mayCreate: true };
    const { local } = await openIn(dir, source);
    await local.set(place, 'kept');
    await writeFile(`${path}.next`, key(9).toString('base64'));
    expect((await (await openIn(dir, source)).local.find(place))?.text).toBe('kept');
    await mkdir(dir, { recursive: true });
    expect(await local.rotateKey()).toBe(1);
  });

  it('goes from one kind to another, all or nothing', async () => {
    const dir = await folder();
    const { local, store } = await openIn(dir, text(1));
    await local.set(place, 'kept');
    await expect(local.rotateKey()).rejects.toThrow('is needed');
    expect(await local.rotateKey(phrase('correct horse battery'))).toBe(1);
    const { local: other } = await openIn(dir, phrase('correct horse battery'));
    expect((await other.find(place))?.text).toBe('kept');
    const { id } = (await store.secrets.masterKey())!;
    const row = { id: 'next', parameters: '{}', createdAt: '' };
    const fails = store.secrets.rewrap(id, row, () => {
      throw new Error('disk full');
    });
    await expect(fails).rejects.toThrow('disk full');
    expect((await other.find(place))?.text).toBe('kept');
  });
});
