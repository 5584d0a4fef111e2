/** Tables `users` and `user_links`: people, and the one-time links with which they set a password. */

import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** A person as kept; times are ISO 8601. */
export interface StoredUser {
  readonly id: string;
  readonly tenant: string;
  /** Normalised, unique in the tenant. */
  readonly login: string;
  readonly name: string;
  readonly role: string;
  /** A PHC string; null until a link was followed. */
  readonly password: string | null;
  readonly createdAt: string;
  readonly disabledAt: string | null;
  readonly lastLoginAt: string | null;
}

export interface StoredLink {
  /** SHA-256 of the token, hexadecimal. */
  readonly hash: string;
  /** Null: it makes the first owner. */
  readonly userId: string | null;
  readonly expiresAt: string;
}

/** What may change of a person. */
export type UserChange = Partial<Pick<StoredUser, 'role' | 'password' | 'disabledAt' | 'lastLoginAt'>>;

/** What became of a link that somebody followed to its end. */
export type Redemption = 'done' | 'gone' | 'login-taken';

export interface Users {
  /** Of one tenant, oldest first. */
  list(tenant: string): Promise<StoredUser[]>;
  /** Of all tenants, for those who keep them in memory. */
  everyone(): Promise<StoredUser[]>;
  byLogin(tenant: string, login: string): Promise<StoredUser | undefined>;
  byId(tenant: string, id: string): Promise<StoredUser | undefined>;
  /** False when the login is taken. */
  add(user: StoredUser): Promise<boolean>;
  /** False when there is no such person. */
  change(tenant: string, id: string, change: UserChange): Promise<boolean>;
  /** A new link in place of those for the same person, or for the first owner. */
  putLink(tenant: string, link: StoredLink): Promise<void>;
  link(tenant: string, hash: string): Promise<StoredLink | undefined>;
  /** Ends the links of a person. */
  dropLinks(tenant: string, userId: string): Promise<void>;
  /** Takes the link and sets the person's password, both or neither; a link works once. */
  redeem(tenant: string, hash: string, userId: string, password: string): Promise<Redemption>;
  /** Takes the link and adds the first owner, both or neither; `gone` when there is an owner by now. */
  redeemFirst(hash: string, owner: StoredUser): Promise<Redemption>;
  /** Another number once another process has changed anything in the file. */
  version(): Promise<number>;
}

const columns = [
  'id',
  'tenant',
  'login',
  'name',
  'role',
  'password',
  'created_at as createdAt',
  'disabled_at as disabledAt',
  'last_login_at as lastLoginAt',
] as const;

function rowOf({ createdAt, disabledAt, lastLoginAt, ...rest }: StoredUser) {
  return { ...rest, created_at: createdAt, disabled_at: disabledAt, last_login_at: lastLoginAt };
}

async function takeLink(db: Kysely<Tables>, tenant: string, hash: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('user_links')
    .where('tenant', '=', tenant)
    .where('hash', '=', hash)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

async function insert(db: Kysely<Tables>, user: StoredUser): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('users')
    .values(rowOf(user))
    .onConflict((conflict) => conflict.columns(['tenant', 'login']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

export function createUsers(db: Kysely<Tables>): Users {
  const select = () => db.selectFrom('users').select(columns).orderBy('created_at').orderBy('id');
  return {
    list: (tenant) => select().where('tenant', '=', tenant).execute(),
    everyone: () => select().execute(),
    byLogin: (tenant, login) =>
      select().where('tenant', '=', tenant).where('login', '=', login).executeTakeFirst(),
    byId: (tenant, id) => select().where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst(),
    add: (user) => insert(db, user),
    async change(tenant, id, { disabledAt, lastLoginAt, ...rest }) {
      const { numUpdatedRows } = await db
        .updateTable('users')
        .set({
          ...rest,
          ...(disabledAt !== undefined && { disabled_at: disabledAt }),
          ...(lastLoginAt !== undefined && { last_login_at: lastLoginAt }),
        })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async putLink(tenant, { hash, userId, expiresAt }) {
      await db
        .deleteFrom('user_links')
        .where('tenant', '=', tenant)
        .where('user_id', userId === null ? 'is' : '=', userId)
        .execute();
      const row = { tenant, hash, user_id: userId, expires_at: expiresAt };
      await db.insertInto('user_links').values(row).execute();
    },
    link: (tenant, hash) =>
      db
        .selectFrom('user_links')
        .select(['hash', 'user_id as userId', 'expires_at as expiresAt'])
        .where('tenant', '=', tenant)
        .where('hash', '=', hash)
        .executeTakeFirst(),
    async dropLinks(tenant, userId) {
      await db.deleteFrom('user_links').where('tenant', '=', tenant).where('user_id', '=', userId).execute();
    },
    async redeem(tenant, hash, userId, password) {
      if (!(await takeLink(db, tenant, hash))) return 'gone';
      await db
        .updateTable('users')
        .set({ password })
        .where('tenant', '=', tenant)
        .where('id', '=', userId)
        .execute();
      return 'done';
    },
    async version() {
      const { rows } = await sql<{ data_version: number }>`PRAGMA data_version`.execute(db);
      return rows[0]?.data_version ?? 0;
    },
    async redeemFirst(hash, owner) {
      const other = await db
        .selectFrom('users')
        .select('id')
        .where('tenant', '=', owner.tenant)
        .where('role', '=', 'owner')
        .where('password', 'is not', null)
        .where('disabled_at', 'is', null)
        .executeTakeFirst();
      if (other) return 'gone';
      const taken = await db
        .selectFrom('users')
        .select('id')
        .where('tenant', '=', owner.tenant)
        .where('login', '=', owner.login)
        .executeTakeFirst();
      if (taken) return 'login-taken';
      if (!(await takeLink(db, owner.tenant, hash))) return 'gone';
      await insert(db, owner);
      return 'done';
    },
  };
}
