/**
 * Discovery put together: the sources that the config names, and servers that register themselves, all reporting to
 * the roster. Part of the composition root, like `coordinator.ts`.
 */

import { resolve } from 'node:path';
import type { LoadedConfig } from './config/load-config.ts';
import type { DiscoverySource, Report } from './discovery/announcement.ts';
import { createClientSource } from './discovery/client-source.ts';
import { createDnsSource } from './discovery/dns-source.ts';
import { createFolderSource } from './discovery/folder-source.ts';
import { createSrvResolver } from './discovery/resolve-srv.ts';
import { createRegistrations, type Registrations } from './discovery/registrations.ts';
import { systemClock } from './kernel/clock.ts';
import { messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import type { SsrfPolicy } from './kernel/ssrf-guard.ts';
import type { ServerRoster } from './server-roster.ts';

/** How it stands with one source. */
export interface SourceStatus {
  readonly kind: DiscoverySource['kind'] | 'registered';
  readonly origin: string;
  readonly servers: number;
  readonly problems: readonly string[];
}

export interface ServerSources extends AsyncDisposable {
  /** Looks through files once, before the servers start; name servers are asked meanwhile. */
  open(): Promise<void>;
  status(): readonly SourceStatus[];
}

/** Servers that register themselves; `rosterOf` because the roster ends registrations in turn. */
export function openRegistrations({ config }: LoadedConfig, rosterOf: () => ServerRoster): Registrations {
  const { enabled, maxServers, allowHosts } = config.discovery.registration;
  const bounds: SsrfPolicy = { allowHosts };
  return createRegistrations({
    enabled,
    maxServers,
    bounds,
    clock: systemClock,
    report: (servers) => rosterOf().offer('registered', '', servers, bounds),
  });
}

export function createServerSources(
  { config, baseDir }: LoadedConfig,
  roster: ServerRoster,
  logger: Logger,
): ServerSources {
  const { folders, clients, dns } = config.discovery;
  const states = new Map<DiscoverySource, SourceStatus>();
  const { platform } = process;
  const resolveSrv = createSrvResolver();
  const environment = { env: process.env, platform };

  function watched(
    kind: DiscoverySource['kind'],
    make: (report: Report) => DiscoverySource | undefined,
  ): void {
    const source = make(async ({ servers, problems }) => {
      if (!source) return;
      states.set(source, { kind, origin: source.origin, servers: servers.length, problems });
      for (const problem of problems) logger.warn({ source: kind, problem }, 'discovery has a problem');
      await roster
        .offer(kind, source.origin, servers)
        .catch((error: unknown) =>
          logger.error({ source: kind, problem: messageOf(error) }, 'could not take what was found'),
        );
    });
    if (source) states.set(source, { kind, origin: source.origin, servers: 0, problems: [] });
  }

  for (const folder of folders)
    watched('folder', (report) => createFolderSource(resolve(baseDir, folder), report));
  for (const { client, folder } of clients) {
    const project = folder === undefined ? {} : { folder: resolve(baseDir, folder) };
    watched('client', (report) => createClientSource({ client, ...project }, report, environment));
  }
  for (const name of dns)
    watched('dns', (report) => createDnsSource({ ...name, baseDir }, report, resolveSrv));

  return {
    async open() {
      const all = [...states.keys()];
      for (const source of all.filter(({ kind }) => kind === 'dns')) void source.look();
      await Promise.all(all.filter(({ kind }) => kind !== 'dns').map((source) => source.look()));
    },
    status: () => [...states.values()],
    async [Symbol.asyncDispose]() {
      await Promise.all([...states.keys()].map((source) => source[Symbol.asyncDispose]()));
    },
  };
}
