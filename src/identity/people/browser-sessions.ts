/** Browsers that are signed in. The cookie holds a random token; of it a hash is kept. */

import type { Clock } from '../../kernel/clock.ts';
import type { Store } from '../../store/open-store.ts';
import type { StoredUser } from '../../store/users.ts';
import { isActive } from './directory.ts';
import { makeToken, tokenHash } from './one-time-link.ts';

/** Silent so long, and it is over; milliseconds. */
export const sessionIdleMs = 2 * 3_600_000;
/** Over in any case; milliseconds. */
export const sessionMaxMs = 12 * 3_600_000;
const touchMs = 60_000;

export interface BrowserSessions {
  /** A new one in place of `former`; the token is for the cookie. */
  open(userId: string, former: string | undefined): Promise<string>;
  /** Who is signed in; undefined for what is unknown or over. */
  userOf(token: string | undefined): Promise<StoredUser | undefined>;
  close(token: string | undefined): Promise<void>;
}

export function createBrowserSessions(
  { webSessions, users }: Pick<Store, 'webSessions' | 'users'>,
  tenant: string,
  clock: Clock,
): BrowserSessions {
  const isoAfter = (ms: number) => new Date(clock.now() + ms).toISOString();

  async function close(token: string | undefined): Promise<void> {
    const hash = tokenHash(token ?? '');
    if (hash !== undefined) await webSessions.remove(tenant, hash);
  }

  return {
    async open(userId, former) {
      await close(former);
      await webSessions.sweep(isoAfter(0));
      const { token, hash } = makeToken();
      await webSessions.add(tenant, { hash, userId, seenAt: isoAfter(0), expiresAt: isoAfter(sessionMaxMs) });
      return token;
    },
    async userOf(token) {
      const hash = tokenHash(token ?? '');
      const session = hash === undefined ? undefined : await webSessions.find(tenant, hash);
      if (!session || session.expiresAt <= isoAfter(0) || session.seenAt <= isoAfter(-sessionIdleMs))
        return undefined;
      const user = await users.byId(tenant, session.userId);
      if (!user || !isActive(user)) return undefined;
      if (session.seenAt <= isoAfter(-touchMs)) await webSessions.touch(tenant, session.hash, isoAfter(0));
      return user;
    },
    close,
  };
}
