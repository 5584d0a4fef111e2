/**
 * Which servers run: those of the config, the built-ins asked for, those added while a coordinator ran, and those
 * that discovery finds. Part of the composition root, like `coordinator.ts`: it brings config, catalog, store and
 * pool together.
 */

import type { BuiltIn } from './catalog/built-in-servers.ts';
import { createPortLedger } from './catalog/categories.ts';
import type { InstanceSpec, ServerSource } from './catalog/instance-spec.ts';
import { planBuiltIns } from './catalog/plan-built-ins.ts';
import { idOf, specFromEntry } from './catalog/plan-entries.ts';
import type { LoadedConfig } from './config/load-config.ts';
import type { Config } from './config/schema.ts';
import { parseServerEntry } from './config/parse-server-entry.ts';
import { type ResolvedEntry, resolveSecrets, usesKeptSecrets } from './config/resolve-secrets.ts';
import type { ServerEntryConfig } from './config/server-entry.ts';
import { serverSources } from './contract/rest/server-routes.ts';
import type { Announcement } from './discovery/announcement.ts';
import type { ServerRegistry } from './http/routes/servers.ts';
import { customCategory } from './kernel/category-names.ts';
import { AppError, messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import type { SsrfPolicy } from './kernel/ssrf-guard.ts';
import type { Pool } from './pool/pool.ts';
import { changedOffer, type ChangesOf, specOffer, wayOut } from './server-offers.ts';
import {
  createReconciler,
  type Offer,
  placeOf,
  type Reconciled,
  type Reconciler,
  type ServerChange,
  together,
} from './server-reconcile.ts';
import type { AddedEntries } from './store/added-entries.ts';
import type { OfTenant } from './store/tenant-store.ts';

export interface Refusal {
  readonly id: string;
  readonly reason: string;
}

export interface ServerRoster extends ServerRegistry {
  /** Puts all servers into the pool, none started; one that cannot be taken takes nothing from the others. */
  fill(): Promise<Refusal[]>;
  /** From now on servers that come are started as they come. */
  startNew(): void;
  /** What a source offers from now on, in place of what it had offered before. */
  offer(
    source: ServerSource,
    origin: string,
    servers: readonly Announcement[],
    bounds?: SsrfPolicy,
  ): Promise<void>;
  /** Takes the servers of another config: `mcpServers`, and the built-ins if their settings have changed. */
  reload(loaded: LoadedConfig): Promise<Reconciled>;
  /** Brings the pool to what is deployed now. */
  sync(): Promise<Reconciled>;
  /** Looks again at servers of which an operator has changed something, or which use secrets that have changed. */
  refresh(isMeant: (offer: Offer) => boolean): Promise<Reconciled>;
  /** Resolves when one that was taken out has finished its calls. */
  drained(id: string): Promise<void>;
  /** The present one. */
  readonly config: Config;
  readonly conflicts: Reconciler['conflicts'];
  /** Servers that a source wants and that could not be taken, or not be replaced. */
  readonly failures: readonly (Refusal & { readonly source: ServerSource })[];
}

export interface RosterDependencies {
  readonly pool: Pool;
  readonly addedServers: OfTenant<AddedEntries>;
  readonly builtIns: readonly BuiltIn[];
  readonly pluginServers: readonly BuiltIn[];
  readonly logger: Logger;
  readonly onChange: (change: ServerChange) => void;
  /** Ends a registration by its name, when an operator removes the server. */
  readonly evict: (name: string) => Promise<void>;
  /** The instances of the phases that are deployed. */
  readonly deployed: () => readonly InstanceSpec[];
  readonly changesOf: ChangesOf;
}

/** Servers that REST adds may be on this machine and in this network, and never the metadata service of a cloud. */
const addedBounds: SsrfPolicy = { allowPrivate: true };

interface Entry extends Pick<Announcement, 'name' | 'entry' | 'group'> {
  readonly source: ServerSource;
  readonly origin?: string;
  readonly baseDir: string;
  readonly file?: string;
  readonly bounds?: SsrfPolicy;
}

export function createServerRoster(first: LoadedConfig, deps: RosterDependencies): ServerRoster {
  const { pool, addedServers, logger } = deps;
  const builtIns = [...deps.builtIns, ...deps.pluginServers];
  const ports = createPortLedger();
  const { limits } = first.config;
  const reconciler = createReconciler({
    pool,
    ports,
    logger,
    startConcurrency: limits.startConcurrency,
    drainMs: limits.serverDrainMs,
    onChange: deps.onChange,
  });
  /** By source and origin. */
  const sources = new Map<string, { source: ServerSource; offers: readonly Offer[] }>();
  let loaded = first;
  let isStarting = false;
  /** One change at a time: two at once could take one port. */
  let queue: Promise<unknown> = Promise.resolve();

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = queue.then(task);
    queue = turn.catch(() => {});
    return turn;
  }

  function toOffer(given: Entry): Offer {
    const { name, entry, source, origin, group, baseDir, file, bounds } = given;
    const own: Offer = {
      id: idOf(name),
      name,
      source,
      origin,
      group,
      disabled: entry.disabled === true,
      usesSecrets: usesKeptSecrets(entry),
      resolve: () => resolveSecrets(entry, { baseDir, name, file, secrets: loaded.secrets }),
      toSpec(resolved, former) {
        const given = resolved as ResolvedEntry;
        const isSamePlace =
          former?.category === (given.category ?? customCategory) && ports.isFree(former.port);
        const { catalog, health } = loaded.config;
        const wanted = { pin: catalog.pin, ...(isSamePlace && { port: former.port }), ...given };
        const spec = specFromEntry(name, wanted, source, ports, builtIns, health);
        const launch =
          bounds && spec.launch.kind === 'streamable-http' ? { ...spec.launch, bounds } : spec.launch;
        return {
          ...spec,
          launch,
          ...(origin !== undefined && { origin }),
          ...(group !== undefined && { name: group }),
        };
      },
    };
    return changedOffer(own, deps.changesOf);
  }

  const fromSpec = (spec: InstanceSpec): Offer => changedOffer(specOffer(spec, ports), deps.changesOf);
  const deployedOffers = (): Offer[] => deps.deployed().map(fromSpec);

  const configEntries = ({ config, baseDir, file }: LoadedConfig): Offer[] =>
    Object.entries(config.mcpServers).map(([name, entry]) =>
      toOffer({ name, entry, source: 'config', baseDir, file }),
    );

  /** Planned on the ports that others leave, so that the same count gives the same instances. */
  function builtInOffers({ config }: LoadedConfig): Offer[] {
    const free = createPortLedger();
    for (const { spec } of pool.instances())
      if (spec.source !== 'built-in') free.take(spec.category, spec.port);
    const own = planBuiltIns(config.servers, deps.builtIns, free, config.builtIn, config.health);
    const plugged = planBuiltIns(
      deps.pluginServers.length,
      deps.pluginServers,
      free,
      config.builtIn,
      config.health,
    );
    return [...own, ...plugged].map(fromSpec);
  }

  function apply(): Promise<Reconciled> {
    const byRank = [...sources.values()].sort(
      (a, b) => serverSources.indexOf(a.source) - serverSources.indexOf(b.source),
    );
    return reconciler.run(
      byRank.flatMap(({ offers }) => offers),
      isStarting,
    );
  }

  function set(source: ServerSource, offers: readonly Offer[], origin = ''): Promise<Reconciled> {
    sources.set(`${source} ${origin}`, { source, offers });
    return apply();
  }

  const added = (): readonly Offer[] => sources.get('added ')?.offers ?? [];

  function toAdded(name: string, entry: ServerEntryConfig): Offer {
    const { baseDir, file } = loaded;
    return toOffer({ name, entry, source: 'added', baseDir, file, bounds: addedBounds });
  }

  return {
    get config() {
      return loaded.config;
    },
    get conflicts() {
      return reconciler.conflicts;
    },
    get failures() {
      return reconciler.failures.map(({ offer, error }) => ({
        id: offer.id,
        source: offer.source,
        reason: messageOf(error),
      }));
    },
    fill: () =>
      inTurn(async () => {
        const refusals: Refusal[] = [];
        await set('config', configEntries(first));
        await set('deployed', deployedOffers());
        await set('built-in', builtInOffers(first));
        const kept: Offer[] = [];
        for (const { name, entry } of await addedServers.all()) {
          try {
            kept.push(toAdded(name, parseServerEntry(name, entry)));
          } catch (error) {
            refusals.push({ id: name, reason: messageOf(error) });
          }
        }
        await set('added', kept);
        for (const { offer, error } of reconciler.failures)
          refusals.push({ id: offer.name, reason: messageOf(error) });
        for (const { claimant, winner } of reconciler.conflicts)
          refusals.push({ id: claimant.name, reason: `${placeOf(winner)} has a server of this id` });
        return refusals;
      }),
    startNew() {
      isStarting = true;
    },
    async offer(source, origin, servers, bounds) {
      const offers = servers.map((server) => toOffer({ ...server, source, bounds }));
      await inTurn(() => set(source, offers, origin));
    },
    reload: (next) =>
      inTurn(async () => {
        const former = loaded.config;
        loaded = next;
        const { servers, builtIn } = next.config;
        const plan = JSON.stringify([servers, builtIn]) !== JSON.stringify([former.servers, former.builtIn]);
        const done = await set('config', configEntries(next));
        if (!plan) return done;
        const deployed = await set('deployed', deployedOffers());
        const more = await set('built-in', builtInOffers(next));
        return together([done, deployed, more]);
      }),
    sync: () => inTurn(() => set('deployed', deployedOffers())),
    refresh: (isMeant) =>
      inTurn(() => {
        // An offer that is another object is looked at again.
        for (const [key, { source, offers }] of sources)
          sources.set(key, { source, offers: offers.map((one) => (isMeant(one) ? { ...one } : one)) });
        return apply();
      }),
    drained: (id) => reconciler.drained(id),
    async add(name, entry) {
      const offer = toAdded(name, parseServerEntry(name, entry));
      const { id } = offer;
      await inTurn(async () => {
        const { failures } = await set('added', [...added(), offer]);
        const failure = failures.find((one) => one.offer === offer);
        const conflict = reconciler.conflicts.find(({ claimant }) => claimant === offer);
        if (!failure && !conflict) return await addedServers.put(name, entry);
        await set(
          'added',
          added().filter((one) => one !== offer),
        );
        if (failure) throw failure.error;
        throw new AppError('INVALID_INPUT', { field: 'id', problem: `${id} is already there` });
      });
      const instance = pool.get(id);
      if (!instance) throw new AppError('NOT_FOUND', { what: 'server', id });
      // A server that cannot start yet is still added; its state says so and it keeps trying.
      await instance.start().catch(() => {});
      return instance;
    },
    async remove(id) {
      const spec = pool.get(id)?.spec;
      if (!spec) throw new AppError('NOT_FOUND', { what: 'server', id });
      const { source } = spec;
      if (source === 'registered') await deps.evict(spec.name);
      else if (source === 'added') {
        await addedServers.remove(spec.name);
        await inTurn(() =>
          set(
            'added',
            added().filter((one) => one.id !== id),
          ),
        );
      } else
        throw new AppError('INVALID_INPUT', { field: 'id', problem: `${id} comes from ${wayOut(spec)}` });
      await reconciler.drained(id);
    },
  };
}
