import fc from 'fast-check';
import { afterEach, describe, expect, it, test } from 'vitest';
import { eventually } from '../../test/e2e/eventually.ts';
import { createTempFolder } from '../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/log.ts';
import { localOwner } from '../kernel/principal.ts';
import { openStore } from '../store/open-store.ts';
import { createAuthenticate } from './authenticate.ts';
import { openKeyRing, refreshMs } from './key-ring.ts';
import { hashOf, idOf, isSameHash, makeKey } from './key-text.ts';
import { createManagedKeys } from './manage-keys.ts';

let open = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

const day = 86_400_000;
/** A ring over a store, and a second connection to the same file, as the command line has one. */
async function setUp() {
  const folder = open.use(await createTempFolder());
  const clock = createFakeClock(Date.UTC(2026, 10, 21));
  const store = open.use(await openStore(folder.path));
  const other = open.use(await openStore(folder.path));
  const ring = open.use(await openKeyRing({ keys: store.apiKeys, clock, logger: silentLogger }));
  const keysOf = (tenant: string) => createManagedKeys(other.apiKeys, tenant, clock);
  /** What a key is refused with once the ring has looked again. */
  const refusalOf = (key: string) =>
    eventually('the refusal', async () => {
      clock.advance(refreshMs);
      return await ring.check(key).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    });
  return { clock, store, ring, refusalOf, keysOf, keys: keysOf('default') };
}

const refused = { code: 'UNAUTHENTICATED' };

describe('a key', () => {
  it('opens at once, though another process made it, as who it was made for', async () => {
    const { ring, keys } = await setUp();
    const { id, key } = await keys.create({ name: 'ci', role: 'agent' });
    expect(await ring.check(key)).toEqual({ id: `key:${id}`, tenant: 'default', role: 'agent' });
    expect(ring.size).toBe(1);
  });

  it('opens nothing once it is revoked or its time is over', async () => {
    const { clock, ring, refusalOf, keys } = await setUp();
    const short = await keys.create({ name: 'short', role: 'viewer', validMs: day });
    clock.advance(1);
    const long = await keys.create({ name: 'long', role: 'viewer' });
    await ring.check(short.key);
    clock.advance(day);
    await expect(ring.check(short.key)).rejects.toMatchObject(refused);
    await ring.check(long.key);
    await keys.revoke(long.id);
    expect(await refusalOf(long.key)).toMatchObject(refused);
    expect(ring.size).toBe(0);
    expect((await keys.list()).map(({ state }) => state)).toEqual(['expired', 'revoked']);
  });

  it('is replaced by one with its name, role and time to live, and opens for the overlap', async () => {
    const { clock, ring, refusalOf, keys } = await setUp();
    const former = await keys.create({ name: 'ci', role: 'agent', validMs: 30 * day });
    clock.advance(10 * day);
    const next = await keys.rotate(former.id, day);
    await ring.check(former.key);
    await ring.check(next.key);
    clock.advance(day);
    expect(await refusalOf(former.key)).toMatchObject(refused);
    const [, made] = await keys.list();
    expect(made).toMatchObject({ name: 'ci', role: 'agent', state: 'valid' });
    expect(Date.parse(made!.expiresAt!) - Date.parse(made!.createdAt)).toBe(30 * day);
    await expect(keys.rotate(former.id, day)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('never lives longer for having been rotated', async () => {
    const { clock, ring, keys } = await setUp();
    const former = await keys.create({ name: 'ci', role: 'agent', validMs: day });
    await keys.rotate(former.id, 9 * day);
    clock.advance(day);
    await expect(ring.check(former.key)).rejects.toMatchObject(refused);
  });

  it('belongs to a tenant: no other one sees, ends or replaces it', async () => {
    const { keys, keysOf } = await setUp();
    const { id } = await keys.create({ name: 'ci', role: 'agent' });
    const stranger = keysOf('elsewhere');
    expect(await stranger.list()).toEqual([]);
    await expect(stranger.revoke(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(stranger.rotate(id, 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await keys.list())[0]).toMatchObject({ id, state: 'valid' });
  });

  it('is not made with a name or role that makes no sense', async () => {
    const { keys } = await setUp();
    for (const name of ['', '  ', 'two\nlines', 'x'.repeat(101)])
      await expect(keys.create({ name, role: 'agent' })).rejects.toMatchObject({ data: { field: 'name' } });
    await expect(keys.create({ name: 'สมชาย', role: 'Root!' })).rejects.toMatchObject({
      data: { field: 'role' },
    });
  });

  it('has the time of its last use noted', async () => {
    const { clock, store, ring, keys } = await setUp();
    const { key } = await keys.create({ name: 'ci', role: 'agent' });
    clock.advance(5000);
    await ring.check(key);
    await ring[Symbol.asyncDispose]();
    const [kept] = await store.apiKeys.list('default');
    expect(kept!.lastUsedAt).toBe('2026-11-21T00:00:05.000Z');
    expect(kept!.hash).toBe(hashOf(key));
  });
});

test('keys are unlike each other, and nothing else passes for one', () => {
  const made = Array.from({ length: 100 }, makeKey);
  expect(new Set(made.map(({ key }) => key)).size).toBe(100);
  for (const { id, key } of made) expect(idOf(key)).toBe(id);
  fc.assert(fc.property(fc.string(), (text) => idOf(text) === undefined));
  expect(isSameHash(hashOf('a'), hashOf('a'))).toBe(true);
  expect(isSameHash(hashOf('a'), hashOf('b'))).toBe(false);
  expect(isSameHash(hashOf('a'), '')).toBe(false);
});

describe('the Authorization header', () => {
  const someone = { id: 'key:1', tenant: 'default', role: 'agent' } as const;
  const authenticate = createAuthenticate(
    {
      async check(key) {
        if (key !== 'good') throw new Error(`asked for ${key}`);
        return someone;
      },
    },
    'of the folder',
  );
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each(['Bearer good', 'bearer  good', basic('git:good'), basic(':good')])(
    'lets in %s',
    async (header) => {
      expect(await authenticate(header)).toBe(someone);
    },
  );

  it('knows the key of the data folder', async () => {
    expect(await authenticate(`Bearer ${'of the folder'.replaceAll(' ', '_')}`).catch(() => 'no')).toBe('no');
    expect(await authenticate(basic('any:of the folder'))).toBe(localOwner);
  });

  it.each([undefined, '', 'good', 'Bearer', 'Bearer good bad', 'Digest good', basic('good')])(
    'asks for a key when it is %s',
    async (header) => {
      await expect(authenticate(header)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('Authorization: Bearer'),
      });
    },
  );
});
