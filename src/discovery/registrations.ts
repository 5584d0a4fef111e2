/**
 * Servers that register themselves, and say again and again that they are there. Kept in memory only: after a
 * restart of the coordinator a heartbeat is answered NOT_FOUND, and the server registers anew.
 */

import { randomUUID, timingSafeEqual } from 'node:crypto';
import { parseServerEntry } from '../config/parse-server-entry.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { createSsrfGuard, portOf, type SsrfPolicy } from '../kernel/ssrf-guard.ts';
import type { Announcement } from './announcement.ts';

/** What a server says of itself. */
export interface Registration {
  readonly name: string;
  readonly url: string;
  /** It is taken out when it is silent for so long. */
  readonly ttlSeconds: number;
  readonly category?: string;
  readonly title?: string;
}

export interface Lease {
  /** Known to the server only: who has it may renew and end the registration. */
  readonly lease: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}

export interface RegistrationOptions {
  readonly enabled: boolean;
  readonly maxServers: number;
  readonly bounds: SsrfPolicy;
  readonly clock: Clock;
  /** All that are registered, after each change; resolves when they have been taken. */
  readonly report: (servers: readonly Announcement[]) => Promise<void>;
}

export interface Registrations extends Disposable {
  /** Throws FORBIDDEN when it is switched off, the host is not allowed, or another holds the name. */
  register(registration: Registration, lease?: string): Promise<Lease>;
  /** Throws NOT_FOUND when it has run out, FORBIDDEN for a wrong lease. */
  heartbeat(name: string, lease: string): Lease;
  end(name: string, lease: string): Promise<void>;
  /** Ends it without its lease: an operator's word. */
  evict(name: string): Promise<void>;
}

interface Held extends Lease {
  readonly registration: Registration;
  readonly announcement: Announcement;
  readonly cancelExpiry: () => void;
}

export function createRegistrations(options: RegistrationOptions): Registrations {
  const { clock, report, bounds } = options;
  const guard = createSsrfGuard(bounds);
  const held = new Map<string, Held>();

  const reportAll = (): Promise<void> => report([...held.values()].map(({ announcement }) => announcement));

  function drop(name: string): Promise<void> {
    held.get(name)?.cancelExpiry();
    return held.delete(name) ? reportAll() : Promise.resolve();
  }

  function hold(registration: Registration, announcement: Announcement, lease: string): Lease {
    const { name, ttlSeconds } = registration;
    held.get(name)?.cancelExpiry();
    const expiresAtMs = clock.now() + ttlSeconds * 1000;
    const cancelExpiry = clock.after(ttlSeconds * 1000, () => void drop(name).catch(() => {}));
    held.set(name, { registration, announcement, lease, expiresAtMs, cancelExpiry });
    return { lease, expiresAtMs };
  }

  function find(name: string, lease: string): Held {
    const found = held.get(name);
    if (!found) throw new AppError('NOT_FOUND', { what: 'registration', id: name });
    if (!isSame(found.lease, lease))
      throw new AppError('FORBIDDEN', { problem: `the lease is not that of ${name}` });
    return found;
  }

  /** A name that does not resolve now may do so later: each connection asks again. */
  async function refuseForbidden(text: string): Promise<void> {
    const url = guard.checkUrl(text);
    await guard.resolve(url.hostname, portOf(url)).catch((error: unknown) => {
      if (!isAppError(error, 'UPSTREAM_UNAVAILABLE')) throw error;
    });
  }

  function announcementOf({ name, url, category, title }: Registration): Announcement {
    // Whoever registers must not have the coordinator read its variables or files and send them there.
    if (url.includes('${'))
      throw new AppError('INVALID_INPUT', { field: 'url', problem: 'must not hold references' });
    const entry = parseServerEntry(name, {
      url,
      ...(category !== undefined && { category }),
      ...(title !== undefined && { title }),
    });
    return { name, entry, origin: url, baseDir: '/' };
  }

  return {
    async register(registration, lease) {
      const { name } = registration;
      if (!options.enabled) {
        const problem =
          'servers may not register here; an operator can permit it with discovery.registration.enabled';
        throw new AppError('FORBIDDEN', { problem });
      }
      const announcement = announcementOf(registration);
      await refuseForbidden(registration.url);
      const former = held.get(name);
      if (former && !(lease !== undefined && isSame(former.lease, lease))) {
        throw new AppError('FORBIDDEN', {
          problem: `another server is registered as ${name}; renew it with its lease`,
        });
      }
      if (!former && held.size >= options.maxServers)
        throw new AppError('OVERLOADED', { problem: `${options.maxServers} servers are registered already` });
      const given = hold(registration, announcement, former?.lease ?? randomUUID());
      await reportAll();
      return given;
    },
    heartbeat(name, lease) {
      const { registration, announcement } = find(name, lease);
      return hold(registration, announcement, lease);
    },
    async end(name, lease) {
      find(name, lease);
      await drop(name);
    },
    evict: drop,
    [Symbol.dispose]() {
      for (const { cancelExpiry } of held.values()) cancelExpiry();
      held.clear();
    },
  };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
