/** Invites, lists, disables and changes the people of a tenant: what the command line does on a data folder. */

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { roleOf } from '../manage-keys.ts';
import type { Store } from '../../store/open-store.ts';
import type { StoredUser } from '../../store/users.ts';
import { loginOf, normalizeLogin } from './login-name.ts';
import { linkPath, makeToken } from './one-time-link.ts';

/** A person as shown; times are ISO 8601. */
export interface PersonItem {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly role: string;
  /** `invited`: has not set a password yet. */
  readonly state: 'active' | 'invited' | 'disabled';
  readonly createdAt: string;
  readonly lastLoginAt: string | null;
}

/** The one time that a link is seen. */
export interface NewLink {
  readonly id: string;
  /** Of the link, from the origin on. */
  readonly path: string;
  readonly expiresAt: string;
}

export interface ManagedPeople {
  /** Throws INVALID_INPUT, also for a login that is taken. */
  invite(wish: { readonly login: string; readonly name?: string; readonly role: string }): Promise<NewLink>;
  list(): Promise<PersonItem[]>;
  /** Ends sessions, and within a second tokens. Throws NOT_FOUND, as do the others. */
  disable(login: string): Promise<PersonItem>;
  enable(login: string): Promise<PersonItem>;
  setRole(login: string, role: string): Promise<PersonItem>;
  /** Ends the password, sessions and tokens; the link sets another password. */
  reset(login: string): Promise<NewLink>;
}

const inviteMs = 7 * 86_400_000;
const maxNameLength = 100;

/** A new person; `password` is a hash. */
export function newPerson(
  wish: { readonly login: string; readonly name: string; readonly role: string },
  tenant: string,
  clock: Clock,
  password: string | null = null,
): StoredUser {
  const name = wish.name.trim().normalize('NFC');
  if (name === '' || name.length > maxNameLength || /\p{C}/u.test(name))
    throw new AppError('INVALID_INPUT', {
      field: 'name',
      problem: `must be 1 to ${maxNameLength} characters on one line`,
    });
  const createdAt = new Date(clock.now()).toISOString();
  const id = randomBytes(8).toString('hex');
  const times = { createdAt, disabledAt: null, lastLoginAt: null };
  return { id, tenant, login: loginOf(wish.login), name, role: roleOf(wish.role), password, ...times };
}

function toItem(user: StoredUser): PersonItem {
  const { id, login, name, role, createdAt, lastLoginAt } = user;
  const state = user.disabledAt !== null ? 'disabled' : user.password === null ? 'invited' : 'active';
  return { id, login, name, role, state, createdAt, lastLoginAt };
}

export function createManagedPeople(
  { users, webSessions, oauthRecords }: Pick<Store, 'users' | 'webSessions' | 'oauthRecords'>,
  tenant: string,
  clock: Clock,
): ManagedPeople {
  const isoAfter = (ms: number) => new Date(clock.now() + ms).toISOString();

  async function find(login: string): Promise<StoredUser> {
    const user = await users.byLogin(tenant, normalizeLogin(login));
    if (!user) throw new AppError('NOT_FOUND', { what: 'user', id: login });
    return user;
  }

  async function changed(login: string, change: Parameters<typeof users.change>[2]): Promise<StoredUser> {
    const user = await find(login);
    await users.change(tenant, user.id, change);
    return { ...user, ...change };
  }

  async function link(userId: string): Promise<NewLink> {
    const { token, hash } = makeToken();
    const expiresAt = isoAfter(inviteMs);
    await users.putLink(tenant, { hash, userId, expiresAt });
    return { id: userId, path: linkPath(token), expiresAt };
  }

  return {
    async invite({ login, name, role }) {
      const person = newPerson({ login, name: name ?? login, role }, tenant, clock);
      if (!(await users.add(person)))
        throw new AppError('INVALID_INPUT', {
          field: 'login',
          problem: `${person.login} is taken; users reset makes a new link for who has it`,
        });
      return await link(person.id);
    },
    list: async () => (await users.list(tenant)).map(toItem),
    async disable(login) {
      const user = await changed(login, { disabledAt: isoAfter(0) });
      await webSessions.removeOf(tenant, user.id);
      await users.dropLinks(tenant, user.id);
      return toItem(user);
    },
    enable: async (login) => toItem(await changed(login, { disabledAt: null })),
    setRole: async (login, role) => toItem(await changed(login, { role: roleOf(role) })),
    async reset(login) {
      const { id } = await changed(login, { password: null });
      await webSessions.removeOf(tenant, id);
      // Whoever knew the password may have let clients in.
      for (const grant of await oauthRecords.grantsOf(tenant, id))
        await oauthRecords.remove(tenant, 'Grant', grant.id);
      return await link(id);
    },
  };
}
