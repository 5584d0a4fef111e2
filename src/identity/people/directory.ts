/**
 * The people who may come in, and the leave they gave to clients, kept in memory: a token is checked against them on
 * each request. The command line changes people from a process of its own, so the store is asked each second.
 */

import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Principal } from '../../kernel/principal.ts';
import { isRoleName } from '../../kernel/roles.ts';
import type { Store } from '../../store/open-store.ts';
import type { StoredUser } from '../../store/users.ts';
import { refreshMs } from '../key-ring.ts';

export interface Directory extends Disposable {
  /** Undefined for one who is unknown, disabled or has no password yet. */
  principalOf(userId: string): Principal | undefined;
  /** True while a grant was neither revoked nor has ended. */
  hasGrant(grantId: string): boolean;
  /** True when somebody who may come in is an owner. */
  hasOwner(): boolean;
  /** Reads it again: after a change that this process made. Throws what the store throws. */
  refresh(): Promise<void>;
  addGrant(grantId: string): void;
  removeGrant(grantId: string): void;
}

/** True for one who may sign in. */
export function isActive({ disabledAt, password }: StoredUser): boolean {
  return disabledAt === null && password !== null;
}

export async function openDirectory(parts: {
  readonly store: Pick<Store, 'users' | 'oauthRecords'>;
  readonly tenant: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<Directory> {
  const { store, tenant, clock, logger } = parts;
  let version = -1;
  let people = new Map<string, Principal>();
  let grants = new Set<string>();
  let cancel = () => {};
  let isClosed = false;

  async function refresh(): Promise<void> {
    const users = (await store.users.everyone()).filter(isActive);
    people = new Map(
      users.flatMap(({ id, tenant: home, role }) =>
        isRoleName(role) ? [[id, { id: `user:${id}`, tenant: home, role }] as const] : [],
      ),
    );
    grants = new Set(await store.oauthRecords.grantIds(tenant));
  }

  async function look(): Promise<void> {
    const now = await store.users.version();
    if (now === version) return;
    await refresh();
    version = now;
  }

  function lookOn(): void {
    cancel = clock.after(refreshMs, () => {
      look()
        .catch((error: unknown) => logger.error({ problem: messageOf(error) }, 'people could not be read'))
        .finally(() => {
          if (!isClosed) lookOn();
        });
    });
  }

  await look();
  lookOn();
  return {
    principalOf: (userId) => people.get(userId),
    hasGrant: (grantId) => grants.has(grantId),
    hasOwner: () => [...people.values()].some(({ role }) => role === 'owner'),
    refresh,
    addGrant: (grantId) => void grants.add(grantId),
    removeGrant: (grantId) => void grants.delete(grantId),
    [Symbol.dispose]() {
      isClosed = true;
      cancel();
    },
  };
}
