import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/log.ts';
import { openStore } from '../../store/open-store.ts';
import { createAttempts } from './attempts.ts';
import { createBrowserSessions, sessionIdleMs, sessionMaxMs } from './browser-sessions.ts';
import { openDirectory } from './directory.ts';
import { loginOf, normalizeLogin } from './login-name.ts';
import { createManagedPeople } from './manage-people.ts';
import { hashPassword, isPassword } from './password-hash.ts';
import { createSignIn } from './sign-in.ts';

let open = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

const day = 86_400_000;
const password = 'four unrelated words';
const tokenIn = (path: string) => path.split('token=')[1]!;

async function setUp(tenant = 'default') {
  const folder = open.use(await createTempFolder());
  const clock = createFakeClock(Date.UTC(2026, 10, 21));
  const store = open.use(await openStore(folder.path));
  const directory = open.use(await openDirectory({ store, tenant, clock, logger: silentLogger }));
  const events: (readonly [string, string, string | undefined])[] = [];
  const signIn = createSignIn({
    users: store.users,
    directory,
    tenant,
    clock,
    onEvent: ({ action, outcome, user }) => void events.push([action, outcome, user?.login]),
  });
  const people = createManagedPeople(store, tenant, clock);
  const sessions = createBrowserSessions(store, tenant, clock);
  const enter = (login: string, given = password) =>
    signIn.withPassword({ login, password: given, address: '::1' });
  return { clock, store, directory, signIn, people, sessions, enter, events };
}

describe('somebody invited', () => {
  it('sets a password with the link, once, and signs in with any spelling of the login', async () => {
    const { signIn, people, enter, directory, clock } = await setUp();
    const { path, id } = await people.invite({ login: ' Zoé@Example.org ', role: 'developer' });
    expect((await enter('zoé@example.org')).outcome).toBe('wrong');
    expect(directory.principalOf(id)).toBeUndefined();
    const token = tokenIn(path);
    expect(await signIn.linkTarget(token, '::1')).toMatchObject({ login: 'zoé@example.org' });
    await expect(
      signIn.withLink(token, { login: '', password: 'short', address: '::1' }),
    ).rejects.toMatchObject({
      data: { field: 'password' },
    });
    expect(await signIn.withLink(token, { login: '', password, address: '::1' })).toMatchObject({ id });
    expect(await signIn.withLink(token, { login: '', password, address: '::1' })).toBeUndefined();
    clock.advance(1);
    expect((await enter('ZOE\u0301@EXAMPLE.ORG')).outcome).toBe('ok');
    expect(directory.principalOf(id)).toEqual({ id: `user:${id}`, tenant: 'default', role: 'developer' });
    expect((await people.list())[0]).toMatchObject({
      state: 'active',
      lastLoginAt: expect.stringContaining('.001Z'),
    });
  });

  it('is told of when they sign in, and of a login that nobody has nothing', async () => {
    const { signIn, people, enter, events } = await setUp();
    const { path } = await people.invite({ login: 'a', role: 'viewer' });
    await signIn.withLink(tokenIn(path), { login: '', password, address: '::1' });
    await enter('A');
    await enter('a', 'a wrong password');
    await enter(password);
    expect(events).toEqual([
      ['set-password', 'ok', 'a'],
      ['sign-in', 'ok', 'a'],
      ['sign-in', 'wrong', 'a'],
      ['sign-in', 'wrong', undefined],
    ]);
  });

  it('may have a role of the policy, and it changes when somebody says so', async () => {
    const { signIn, people, directory } = await setUp();
    const { path, id } = await people.invite({ login: 'a', role: 'night-shift' });
    await signIn.withLink(tokenIn(path), { login: '', password, address: '::1' });
    expect(directory.principalOf(id)?.role).toBe('night-shift');
    await people.setRole('a', 'day-shift');
    await directory.refresh();
    expect(directory.principalOf(id)?.role).toBe('day-shift');
    await expect(people.setRole('a', 'Not A Role')).rejects.toMatchObject({ data: { field: 'role' } });
  });

  it('has a week for it, and a new link ends the former one', async () => {
    const { signIn, people, clock } = await setUp();
    const first = await people.invite({ login: 'a', role: 'viewer' });
    const second = await people.reset('a');
    expect(await signIn.linkTarget(tokenIn(first.path), '::1')).toBeUndefined();
    clock.advance(7 * day);
    expect(
      await signIn.withLink(tokenIn(second.path), { login: '', password, address: '::1' }),
    ).toBeUndefined();
  });

  it('is one of the tenant only', async () => {
    const { people, store, clock } = await setUp();
    await people.invite({ login: 'a', role: 'viewer' });
    const stranger = createManagedPeople(store, 'elsewhere', clock);
    expect(await stranger.list()).toEqual([]);
    for (const change of [stranger.disable('a'), stranger.reset('a'), stranger.setRole('a', 'owner')])
      await expect(change).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await stranger.invite({ login: 'a', role: 'owner' });
    await expect(people.invite({ login: 'A', role: 'owner' })).rejects.toMatchObject({
      data: { field: 'login' },
    });
  });

  it('is out at once when disabled, and in again when enabled', async () => {
    const { signIn, people, sessions, enter } = await setUp();
    const { path } = await people.invite({ login: 'a', role: 'viewer' });
    const user = (await signIn.withLink(tokenIn(path), { login: '', password, address: '::1' }))!;
    const token = await sessions.open(user.id, undefined);
    await people.disable('a');
    expect(await sessions.userOf(token)).toBeUndefined();
    expect((await enter('a')).outcome).toBe('wrong');
    await people.enable('a');
    expect(await sessions.userOf(token)).toBeUndefined();
    expect((await enter('a')).outcome).toBe('ok');
  });
});

describe('the first owner', () => {
  it('comes in by the newest link, within a day, and nobody after', async () => {
    const { signIn, directory, clock } = await setUp();
    const former = tokenIn(await signIn.firstLink());
    const token = tokenIn(await signIn.firstLink());
    expect(await signIn.linkTarget(former, '::1')).toBeUndefined();
    expect(await signIn.linkTarget(token, '::1')).toBeNull();
    const wishes = ['one', 'two'].map((login) => signIn.withLink(token, { login, password, address: '::1' }));
    const came = (await Promise.all(wishes)).filter((user) => user !== undefined);
    expect(came).toHaveLength(1);
    expect(directory.hasOwner()).toBe(true);
    const late = tokenIn(await signIn.firstLink());
    expect(await signIn.linkTarget(late, '::1')).toBeUndefined();
    expect(await signIn.withLink(late, { login: 'three', password, address: '::1' })).toBeUndefined();
    clock.advance(day);
    expect(await signIn.linkTarget(late, '::1')).toBeUndefined();
  });

  it('finds nothing behind a guessed link', async () => {
    const { signIn } = await setUp();
    for (const token of ['', 'x', 'A'.repeat(43), '../..', 'ก'.repeat(43)])
      expect(await signIn.linkTarget(token, '::1')).toBeUndefined();
  });
});

describe('a session in a browser', () => {
  it('ends when it is silent, in any case after its time, and when another one takes its place', async () => {
    const { signIn, sessions, clock } = await setUp();
    const token = tokenIn(await signIn.firstLink());
    const { id } = (await signIn.withLink(token, { login: 'o', password, address: '::1' }))!;
    const silent = await sessions.open(id, undefined);
    clock.advance(sessionIdleMs);
    expect(await sessions.userOf(silent)).toBeUndefined();
    const busy = await sessions.open(id, silent);
    for (let ms = 0; ms < sessionMaxMs - 3_600_000; ms += 3_600_000) {
      clock.advance(3_600_000);
      expect(await sessions.userOf(busy)).toMatchObject({ id });
    }
    clock.advance(3_600_000);
    expect(await sessions.userOf(busy)).toBeUndefined();
    const one = await sessions.open(id, undefined);
    const two = await sessions.open(id, one);
    expect(await sessions.userOf(one)).toBeUndefined();
    await sessions.close(two);
    expect(await sessions.userOf(two)).toBeUndefined();
    expect(await sessions.userOf('x')).toBeUndefined();
  });
});

describe('tries', () => {
  it('are let through again after their time, and names do not count for each other', () => {
    const clock = createFakeClock();
    const attempts = createAttempts(clock, 1000);
    const a = [{ name: 'a', most: 2 }];
    attempts.fail(a);
    expect(attempts.waitMs(a)).toBe(0);
    attempts.fail(a);
    clock.advance(400);
    expect(attempts.waitMs([{ name: 'b', most: 1 }, ...a])).toBe(600);
    expect(attempts.waitMs([{ name: 'b', most: 1 }])).toBe(0);
    clock.advance(600);
    expect(attempts.waitMs(a)).toBe(0);
  });

  it('of many names forget the oldest', () => {
    const attempts = createAttempts(createFakeClock(), 1000);
    for (let n = 0; n <= 20_000; n += 1) attempts.fail([{ name: `${n}`, most: 1 }]);
    expect(attempts.waitMs([{ name: '0', most: 1 }])).toBe(0);
    expect(attempts.waitMs([{ name: '20000', most: 1 }])).toBe(1000);
  });
});

it('a login has one form, and looks like no other', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      (text) => normalizeLogin(normalizeLogin(text)) === normalizeLogin(text),
    ),
  );
  expect(loginOf(' สมชาย@Example.ORG ')).toBe('สมชาย@example.org');
  for (const text of ['', ' ', 'a b', 'a\u202Eb', 'a\u200Bb', 'a\0', 'x'.repeat(255)])
    expect(() => loginOf(text)).toThrow(/login/);
});

it('a password is known by an argon2id hash, however its letters are composed', async () => {
  const phc = await hashPassword('Zoe\u0301 และ สมชาย');
  expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(await isPassword('Zo\u00E9 และ สมชาย', phc)).toBe(true);
  for (const wrong of ['', 'Zoe และ สมชาย', 'x'.repeat(1_000_000)])
    expect(await isPassword(wrong, phc)).toBe(false);
  expect(await isPassword('', null)).toBe(false);
  expect(await hashPassword(password)).not.toBe(await hashPassword(password));
});
