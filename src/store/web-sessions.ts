/** Table `web_sessions`: who is signed in with which browser. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** A session as kept; times are ISO 8601. */
export interface StoredWebSession {
  /** SHA-256 of what the cookie holds, hexadecimal. */
  readonly hash: string;
  readonly userId: string;
  readonly seenAt: string;
  readonly expiresAt: string;
}

export interface WebSessions {
  find(tenant: string, hash: string): Promise<StoredWebSession | undefined>;
  add(tenant: string, session: StoredWebSession): Promise<void>;
  touch(tenant: string, hash: string, seenAt: string): Promise<void>;
  remove(tenant: string, hash: string): Promise<void>;
  removeOf(tenant: string, userId: string): Promise<void>;
  /** Forgets those of all tenants that are over. */
  sweep(now: string): Promise<void>;
}

export function createWebSessions(db: Kysely<Tables>): WebSessions {
  return {
    find: (tenant, hash) =>
      db
        .selectFrom('web_sessions')
        .select(['hash', 'user_id as userId', 'seen_at as seenAt', 'expires_at as expiresAt'])
        .where('tenant', '=', tenant)
        .where('hash', '=', hash)
        .executeTakeFirst(),
    async add(tenant, { hash, userId, seenAt, expiresAt }) {
      const row = { tenant, hash, user_id: userId, seen_at: seenAt, expires_at: expiresAt };
      await db.insertInto('web_sessions').values(row).execute();
    },
    async touch(tenant, hash, seenAt) {
      await db
        .updateTable('web_sessions')
        .set({ seen_at: seenAt })
        .where('tenant', '=', tenant)
        .where('hash', '=', hash)
        .execute();
    },
    async remove(tenant, hash) {
      await db.deleteFrom('web_sessions').where('tenant', '=', tenant).where('hash', '=', hash).execute();
    },
    async removeOf(tenant, userId) {
      await db
        .deleteFrom('web_sessions')
        .where('tenant', '=', tenant)
        .where('user_id', '=', userId)
        .execute();
    },
    async sweep(now) {
      await db.deleteFrom('web_sessions').where('expires_at', '<', now).execute();
    },
  };
}
