/**
 * The keys that open this coordinator, kept in memory: a check costs one hash and one look-up. The command line
 * writes keys into the store from a process of its own, so the store is asked now and then whether it has changed.
 */

import type { Clock } from '../kernel/clock.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Principal } from '../kernel/principal.ts';
import type { ApiKeys, StoredKey } from '../store/api-keys.ts';
import { principalOf } from './key-attributes.ts';
import { hashOf, idOf, isSameHash } from './key-text.ts';

/** SHA-256 of the certificate that a client showed, base64url (`x5t#S256` of RFC 8705, 3.1); undefined without one. */
export type Thumbprint = () => string | undefined;

export interface KeyRing extends AsyncDisposable {
  /**
   * Whose key it is. Throws UNAUTHENTICATED for one that is unknown, over, taken back, or bound to another certificate
   * than was shown, in the same words.
   */
  check(key: string, thumbprint?: Thumbprint): Promise<Principal>;
  /** Keys that open anything now. */
  readonly size: number;
}

/** A key that was taken back opens nothing after so long, milliseconds. */
export const refreshMs = 1000;
/** How often the times of last use are written, milliseconds. */
const touchMs = 60_000;

interface Entry {
  readonly hash: string;
  readonly expiresAtMs: number;
  /** Thumbprint of the certificate it is bound to. */
  readonly certificate: string | null;
  readonly principal: Principal;
}

/** None for a key that cannot be read. */
function entriesOf(key: StoredKey): [string, Entry][] {
  const { id, hash, expiresAt, certificate } = key;
  const principal = principalOf(key);
  const expiresAtMs = expiresAt === null ? Infinity : Date.parse(expiresAt);
  return principal ? [[id, { hash, expiresAtMs, certificate, principal }]] : [];
}

/** Reads the keys. Throws what the store throws. */
export async function openKeyRing(parts: {
  readonly keys: ApiKeys;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<KeyRing> {
  const { keys, clock, logger } = parts;
  let version = -1;
  let entries = new Map<string, Entry>();
  let cancelRefresh = () => {};
  let cancelTouch = () => {};
  let isClosed = false;
  /** When keys were last used, since that was last written; by tenant and id. */
  let used = new Map<string, Map<string, number>>();

  async function refresh(): Promise<void> {
    const now = await keys.version();
    if (now === version) return;
    const valid = (await keys.everyone()).filter(({ revokedAt }) => revokedAt === null);
    entries = new Map(valid.flatMap(entriesOf));
    version = now;
  }

  let isAway = false;
  let refreshing: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  /** A look that begins from now on, shared by all who ask meanwhile: strangers cause one at a time. */
  function refreshSoon(): Promise<void> {
    next ??= (refreshing ?? Promise.resolve()).then(() => {
      next = undefined;
      refreshing = refresh()
        .then(
          () => (isAway = false),
          (error: unknown) => {
            // With the store away the keys that are known go on; it is said once, not each second.
            if (!isAway) logger.error({ problem: messageOf(error) }, 'the keys could not be read');
            isAway = true;
          },
        )
        .then(() => (refreshing = undefined));
      return refreshing;
    });
    return next;
  }

  function refreshOn(): void {
    cancelRefresh = clock.after(refreshMs, () => {
      void refreshSoon().finally(() => {
        if (!isClosed) refreshOn();
      });
    });
  }

  async function writeUses(): Promise<void> {
    const written = used;
    used = new Map();
    for (const [tenant, times] of written) {
      const texts = new Map([...times].map(([id, atMs]) => [id, new Date(atMs).toISOString()]));
      await keys.touch(tenant, texts);
    }
  }

  function touchOn(): void {
    cancelTouch = clock.after(touchMs, () => {
      writeUses()
        .catch((error: unknown) => logger.warn({ problem: messageOf(error) }, 'uses of keys were not noted'))
        .finally(() => {
          if (!isClosed) touchOn();
        });
    });
  }

  function noteUse(id: string, { tenant }: Principal): void {
    let times = used.get(tenant);
    if (!times) used.set(tenant, (times = new Map()));
    times.set(id, clock.now());
  }

  await refresh();
  refreshOn();
  touchOn();

  return {
    get size() {
      return [...entries.values()].filter(({ expiresAtMs }) => expiresAtMs > clock.now()).length;
    },
    async check(key, thumbprint) {
      const id = idOf(key);
      if (id === undefined) throw refused();
      // One that was made a moment ago.
      if (!entries.has(id)) await refreshSoon();
      const entry = entries.get(id);
      if (!entry || !isSameHash(entry.hash, hashOf(key)) || entry.expiresAtMs <= clock.now()) throw refused();
      if (entry.certificate !== null && thumbprint?.() !== entry.certificate) throw refused();
      noteUse(id, entry.principal);
      return entry.principal;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      cancelRefresh();
      cancelTouch();
      await refreshing;
      await writeUses().catch((error: unknown) =>
        logger.warn({ problem: messageOf(error) }, 'uses of keys were not noted'),
      );
    },
  };
}

function refused(): AppError {
  return new AppError('UNAUTHENTICATED', {
    problem: 'this one is unknown, has expired, was revoked, or is bound to another certificate',
  });
}
