/**
 * The connections that clients have to themselves, where a server is not shared. Each is a small instance of its own:
 * it starts with the first call of its owner, comes back when it breaks, and ends with the owner or when it is idle.
 */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { AppError } from '../kernel/errors.ts';
import type { Emitter } from '../kernel/events.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import { defaultMaxConnections, defaultSelection } from '../kernel/pool-options.ts';
import type { McpLogLevel } from '../kernel/protocol.ts';
import { createBalancer } from './balancer.ts';
import type { Instance, InstanceEvent, InstanceGroup } from './instance-types.ts';
import type { PoolMember } from './member.ts';

/** Whoever a connection belongs to. */
export interface Owner {
  readonly key: string;
  /** Somebody says when it is gone. Connections of others end when they have not been used for a while. */
  readonly hasEnd: boolean;
  /** Whose credentials are used where the server wants some. */
  readonly principal?: { readonly tenant: string; readonly id: string };
}

export interface OwnInstances {
  readonly size: number;
  /** The connection that belongs to nobody, over which the lists are read, sleeps after so long, milliseconds. */
  readonly unownedIdleMs: number | undefined;
  members(): PoolMember[];
  find(key: string): Promise<Instance> | undefined;
  /** That of an owner, made if need be. Throws OVERLOADED when there are too many that are in use. */
  get(owner: Owner): Promise<Instance>;
  /** Tells the server behind the owner's connection, if there is one. */
  notify(owner: Owner, method: string, params?: JsonObject): void;
  setLogLevel(level: McpLogLevel): Promise<void>;
  end(key: string, drains?: boolean): Promise<void>;
  endAll(drains: boolean): Promise<void>;
}

export interface OwnInstancesOptions {
  readonly spec: InstanceSpec;
  readonly group: InstanceGroup;
  readonly create: (spec: InstanceSpec, group: InstanceGroup) => Promise<Instance>;
  /** Where what they say is told on. */
  readonly events: Emitter<InstanceEvent>;
  /** One came, went, or is in another state. */
  readonly onChange: () => void;
}

/** An owner of whose end nobody hears is taken to be gone after so long without a call, milliseconds. */
const defaultIdleMs = 600_000;
const unownedIdleMs = 60_000;

interface Entry {
  readonly owner: Owner;
  readonly made: Promise<Instance>;
  instance: Instance | undefined;
}

export function createOwnInstances(options: OwnInstancesOptions): OwnInstances {
  const { spec, onChange } = options;
  const maxConnections = spec.maxConnections ?? defaultMaxConnections;
  /** The one that was not used for longest comes first. */
  const entries = new Map<string, Entry>();
  let logLevel: McpLogLevel | undefined;

  function isFree({ owner, instance }: Entry): boolean {
    return !owner.hasEnd && instance !== undefined && instance.inFlight === 0 && !instance.isWatched;
  }

  function makeRoom(): void {
    for (const [key, entry] of entries) {
      if (!isFree(entry)) continue;
      void end(key);
      return;
    }
    throw new AppError('OVERLOADED', {
      server: spec.id,
      problem: `${maxConnections} clients have a connection of their own to ${spec.id}; raise mcpServers.${spec.name}.maxConnections, or try again when one has left`,
    });
  }

  async function make(owner: Owner): Promise<Instance> {
    const { isolation: _, maxConnections: __, idleMs, ...rest } = spec;
    const ownIdleMs = idleMs ?? (owner.hasEnd ? undefined : defaultIdleMs);
    const { principal } = owner;
    const user = spec.auth?.whose === 'per-user' && principal ? principal.id : '';
    const instance = await options.create(
      {
        ...rest,
        lazy: true,
        replicas: 1,
        ...(ownIdleMs !== undefined && { idleMs: ownIdleMs }),
        ...(principal && { credentialOwner: { tenant: principal.tenant, user } }),
      },
      { balancer: createBalancer(spec.selection ?? defaultSelection), budget: options.group.budget },
    );
    if (logLevel !== undefined) await instance.setLogLevel(logLevel);
    instance.events.on((event) => {
      if (event.kind === 'notification') options.events.emit({ ...event, owner: owner.key });
      if (event.kind !== 'state') return;
      // Asleep and nothing is wrong with it: it was idle.
      const isOver = instance.state === 'sleeping' && instance.reason === undefined;
      if (isOver && entries.get(owner.key)?.instance === instance) void end(owner.key);
      onChange();
    });
    return instance;
  }

  function add(owner: Owner): Entry {
    if (entries.size >= maxConnections) makeRoom();
    const entry: Entry = { owner, made: make(owner), instance: undefined };
    entries.set(owner.key, entry);
    entry.made.then(
      (instance) => (entry.instance = instance),
      () => entries.get(owner.key) === entry && entries.delete(owner.key),
    );
    return entry;
  }

  async function end(key: string, drains = false): Promise<void> {
    const entry = entries.get(key);
    if (!entry) return;
    entries.delete(key);
    const instance = await entry.made.catch(() => undefined);
    await instance?.retire(drains);
    onChange();
  }

  const all = () => [...entries.values()].flatMap(({ instance }) => instance ?? []);

  return {
    get size() {
      return entries.size;
    },
    unownedIdleMs: spec.idleMs ?? (spec.isolation === undefined ? undefined : unownedIdleMs),
    members: () => all().flatMap(({ members }) => members),
    find: (key) => entries.get(key)?.made,
    async get(owner) {
      const entry = entries.get(owner.key) ?? add(owner);
      // Back to the end of the line.
      entries.delete(owner.key);
      entries.set(owner.key, entry);
      return await entry.made;
    },
    notify({ key }, method, params) {
      void entries.get(key)?.made.then((instance) => instance.notify(method, params));
    },
    async setLogLevel(level) {
      logLevel = level;
      await Promise.all(all().map((instance) => instance.setLogLevel(level)));
    },
    end,
    async endAll(drains) {
      await Promise.all([...entries.keys()].map((key) => end(key, drains)));
    },
  };
}
