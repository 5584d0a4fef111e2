/** People come in: with a password, or by a one-time link that lets them set one. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { Store } from '../../store/open-store.ts';
import type { StoredLink, StoredUser } from '../../store/users.ts';
import { createAttempts } from './attempts.ts';
import { type Directory, isActive } from './directory.ts';
import { normalizeLogin } from './login-name.ts';
import { newPerson } from './manage-people.ts';
import { linkPath, makeToken, tokenHash } from './one-time-link.ts';
import { assertGoodPassword, hashPassword, isPassword } from './password-hash.ts';

/** A person who came in. */
export type Person = StoredUser;

/** What a sign-in comes to; `wrong` tells nothing about why. */
export type SignInOutcome = 'ok' | 'wrong' | 'too-many' | 'busy';

export interface SignedIn {
  readonly outcome: SignInOutcome;
  readonly user?: StoredUser;
  /** Of `too-many`, milliseconds. */
  readonly waitMs?: number;
}

/** What happened at a sign-in; of a login that nobody has nothing is told, as people type passwords there too. */
export interface SignInEvent {
  /** `set-password`: somebody followed a link to its end. */
  readonly action: 'sign-in' | 'set-password';
  readonly outcome: SignInOutcome;
  /** Whose login it is. */
  readonly user?: StoredUser | undefined;
  readonly address: string;
}

export interface SignIn {
  /** Throws what the store throws. */
  withPassword(wish: {
    readonly login: string;
    readonly password: string;
    readonly address: string;
  }): Promise<SignedIn>;
  /** What a link is for: a person, or the first owner (null); undefined when it opens nothing. */
  linkTarget(token: string, address: string): Promise<StoredUser | null | undefined>;
  /** Sets the password; undefined when the link opens nothing. Throws INVALID_INPUT. */
  withLink(
    token: string,
    wish: { readonly login: string; readonly password: string; readonly address: string },
  ): Promise<StoredUser | undefined>;
  /** The path of a new link for the first owner, in place of the former one. */
  firstLink(): Promise<string>;
}

const windowMs = 15 * 60_000;
const firstLinkMs = 86_400_000;
const bounds = { pair: 10, address: 50, login: 200 };

export function createSignIn(parts: {
  readonly users: Store['users'];
  readonly directory: Pick<Directory, 'refresh' | 'hasOwner'>;
  readonly tenant: string;
  readonly clock: Clock;
  readonly onEvent?: ((event: SignInEvent) => void) | undefined;
}): SignIn {
  const { users, directory, tenant, clock } = parts;
  const attempts = createAttempts(clock, windowMs);
  const isoAfter = (ms: number) => new Date(clock.now() + ms).toISOString();

  async function linkOf(token: string): Promise<StoredLink | undefined> {
    const hash = tokenHash(token);
    const link = hash === undefined ? undefined : await users.link(tenant, hash);
    return link && link.expiresAt > isoAfter(0) ? link : undefined;
  }

  async function checked(login: string, password: string): Promise<SignedIn> {
    const user = await users.byLogin(tenant, login);
    const known = user && isActive(user) ? user : undefined;
    if (!(await isPassword(password, known?.password ?? null)) || !known) return { outcome: 'wrong' };
    await users.change(tenant, known.id, { lastLoginAt: isoAfter(0) });
    return { outcome: 'ok', user: known };
  }

  async function withPassword(login: string, password: string, address: string): Promise<SignedIn> {
    const pair = `${address}\n${login}`;
    const names = [
      { name: pair, most: bounds.pair },
      { name: `address ${address}`, most: bounds.address },
      // High, so that who wants to lock somebody out needs many addresses.
      { name: `login ${login}`, most: bounds.login },
    ];
    const waitMs = attempts.waitMs(names);
    if (waitMs > 0) return { outcome: 'too-many', waitMs };
    // Counted before it is known, so that tries at the same time count too.
    attempts.fail(names);
    try {
      const result = await checked(login, password);
      if (result.outcome === 'ok') attempts.clear(pair);
      return result;
    } catch (error) {
      if (isAppError(error, 'OVERLOADED')) return { outcome: 'busy' };
      throw error;
    }
  }

  return {
    async withPassword({ login, password, address }) {
      const result = await withPassword(normalizeLogin(login).slice(0, 254), password, address);
      const known = result.user ?? (await users.byLogin(tenant, normalizeLogin(login).slice(0, 254)));
      parts.onEvent?.({ action: 'sign-in', outcome: result.outcome, user: known, address });
      return result;
    },
    async linkTarget(token, address) {
      const names = [{ name: `link ${address}`, most: bounds.address }];
      if (attempts.waitMs(names) > 0) return undefined;
      const link = await linkOf(token);
      if (!link) {
        attempts.fail(names);
        return undefined;
      }
      if (link.userId === null) return directory.hasOwner() ? undefined : null;
      const user = await users.byId(tenant, link.userId);
      return user && user.disabledAt === null ? user : undefined;
    },
    async withLink(token, { login, password, address }) {
      const link = await linkOf(token);
      if (!link) return undefined;
      let user: StoredUser;
      if (link.userId === null) {
        const wish = newPerson({ login, name: login, role: 'owner' }, tenant, clock);
        assertGoodPassword(password, wish.login);
        user = { ...wish, password: await hashPassword(password) };
        const result = await users.redeemFirst(link.hash, user);
        if (result === 'gone') return undefined;
        if (result === 'login-taken')
          throw new AppError('INVALID_INPUT', { field: 'login', problem: 'is taken; choose another' });
      } else {
        const found = await users.byId(tenant, link.userId);
        if (!found || found.disabledAt !== null) return undefined;
        assertGoodPassword(password, found.login);
        user = { ...found, password: await hashPassword(password) };
        if ((await users.redeem(tenant, link.hash, user.id, user.password!)) !== 'done') return undefined;
      }
      await directory.refresh();
      parts.onEvent?.({ action: 'set-password', outcome: 'ok', user, address });
      return user;
    },
    async firstLink() {
      const { token, hash } = makeToken();
      await users.putLink(tenant, { hash, userId: null, expiresAt: isoAfter(firstLinkMs) });
      return linkPath(token, true);
    },
  };
}
