/** Servers by DNS SRV names (RFC 2782): each target of the best priority is one server. */

import { createHash } from 'node:crypto';
import type { DnsConfig } from '../config/discovery-shape.ts';
import { parseServerEntry } from '../config/parse-server-entry.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Announcement, DiscoverySource, Findings, Report } from './announcement.ts';

export interface SrvTarget {
  readonly host: string;
  readonly port: number;
  /** Those of the lowest number are used; the others stand by. */
  readonly priority: number;
  readonly weight: number;
}

export interface SrvAnswer {
  readonly targets: readonly SrvTarget[];
  /** How long the answer holds; undefined where the resolver does not say. */
  readonly ttlSeconds?: number;
}

/** Asks for the SRV records of a name; rejects with a `code` as node:dns does. */
export type SrvResolver = (name: string) => Promise<SrvAnswer>;

export interface DnsSourceOptions extends DnsConfig {
  /** Relative paths of references start here. */
  readonly baseDir: string;
}

/** There is no such name, or it has no such records: then there are no servers. Everything else may pass. */
const noneCodes: readonly unknown[] = ['ENOTFOUND', 'ENODATA'];
const maxNameLength = 64;
/** A day: who writes a longer TTL does not mean it, and timers cannot wait for ever. */
const maxTtlSeconds = 86_400;

/**
 * Asks every `everySeconds`, or when the answer has run out if that is later. While no name server answers, what was
 * found last stays. Asks for the first time when `look` is called.
 */
export function createDnsSource(
  options: DnsSourceOptions,
  report: Report,
  resolve: SrvResolver,
  clock: Clock = systemClock,
): DiscoverySource {
  let last: readonly Announcement[] = [];
  let cancel = (): void => {};
  let isClosed = false;
  let looking: Promise<void> | undefined;

  async function ask(): Promise<{ findings: Findings; ttlSeconds: number }> {
    try {
      const { targets, ttlSeconds = 0 } = await resolve(options.name);
      last = bestOf(targets).map((target) => announcementOf(target, options));
      return { findings: { servers: last, problems: [] }, ttlSeconds };
    } catch (error) {
      const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
      if (noneCodes.includes(code)) last = [];
      const problem = `${options.name}: ${typeof code === 'string' ? code : messageOf(error)}`;
      return { findings: { servers: last, problems: [problem] }, ttlSeconds: 0 };
    }
  }

  async function askAndReport(): Promise<void> {
    cancel();
    const { findings, ttlSeconds } = await ask();
    if (isClosed) return;
    cancel = clock.after(
      Math.max(options.everySeconds, Math.min(ttlSeconds, maxTtlSeconds)) * 1000,
      () => void look(),
    );
    await report(findings);
  }

  function look(): Promise<void> {
    looking ??= askAndReport().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  return {
    kind: 'dns',
    origin: options.name,
    look,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      cancel();
      await looking;
    },
  };
}

/** The targets of the lowest priority number, each once, in a lasting order. A lone `.` says that there is no such service. */
export function bestOf(targets: readonly SrvTarget[]): SrvTarget[] {
  const real = targets.filter(({ host, port }) => host !== '.' && host !== '' && port > 0);
  const best = Math.min(...real.map(({ priority }) => priority));
  const byPlace = new Map(
    real
      .filter(({ priority }) => priority === best)
      .map((target) => [`${target.host}:${target.port}`, target]),
  );
  return [...byPlace].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
}

function announcementOf({ host, port }: SrvTarget, options: DnsSourceOptions): Announcement {
  const { name, server, scheme, path, headers, category, baseDir } = options;
  const bare = host.replace(/\.$/, '').toLowerCase();
  const long = `${server}-${bare}-${port}`;
  const short = `${server}-${createHash('sha256').update(long).digest('hex').slice(0, 12)}`;
  const own = long.length > maxNameLength ? short : long;
  const entry = parseServerEntry(own, {
    url: `${scheme}://${bare}:${port}${path}`,
    ...(headers && { headers }),
    ...(category !== undefined && { category }),
  });
  return { name: own, entry, origin: name, baseDir, group: server };
}
