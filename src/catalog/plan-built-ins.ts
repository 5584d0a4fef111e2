/**
 * Turns `--servers N` into instances: one of each built-in that needs no credentials, then further
 * instances in turn on the next free ports of their category. Categories that have no built-in of their own
 * yet get memory and thinking servers of their scope, so that 1,000 instances have a place.
 */

import type { ServerDefinition } from '../kernel/define-server.ts';
import { type BuiltIn, builtInListingKey } from './built-in-servers.ts';
import {
  defaultHealth,
  type HealthOptions,
  type OwnPoolOptions,
  type PoolOptions,
  poolOptionsOf,
} from '../kernel/pool-options.ts';
import { categories, coreCategory, type PortLedger } from './categories.ts';
import type { InstanceSpec } from './instance-spec.ts';

/** The memory server whose tools keep their plain names in `/mcp`. */
export const memoryServerName = 'git-memory-server';

export interface BuiltInOptions extends OwnPoolOptions {
  readonly enabled?: boolean;
  readonly settings?: unknown;
}

/** A built-in server in a category that has room for more instances of it. */
export interface Slot {
  readonly builtIn: BuiltIn;
  readonly category: string;
  readonly settings: unknown;
}

/** Settings of a core server placed in a category: its memory is the category's. */
function settingsIn(category: string, settings: unknown): unknown {
  const given = typeof settings === 'object' && settings !== null ? settings : {};
  return { defaultScope: `category:${category}`, ...given };
}

function toSpec(slot: Slot, port: number, aliases: Set<string>, pool: PoolOptions): InstanceSpec {
  const { name } = slot.builtIn.definition;
  const alias = aliases.has(name) ? builtInId(name, port) : name;
  aliases.add(alias);
  return { ...builtInSpec(slot, port, pool), alias: alias === memoryServerName ? '' : alias };
}

function builtInId(name: string, port: number): string {
  return `${name}-${port}`;
}

/** The instance of a slot on a port; its alias is its id. */
export function builtInSpec(slot: Slot, port: number, pool: PoolOptions): InstanceSpec {
  const { definition, module } = slot.builtIn;
  const id = builtInId(definition.name, port);
  return {
    id,
    name: definition.name,
    alias: id,
    title: definition.title,
    category: slot.category,
    port,
    replicas: 1,
    lazy: false,
    source: 'built-in',
    launch: { kind: 'in-process', module, settings: slot.settings },
    listingKey: builtInListingKey(slot.builtIn),
    ...pool,
  };
}

/** The first `count` built-in instances, at most as many as there are ports. */
export function planBuiltIns(
  count: number,
  builtIns: readonly BuiltIn[],
  ports: PortLedger,
  options: Readonly<Record<string, BuiltInOptions>> = {},
  health: HealthOptions = defaultHealth,
): InstanceSpec[] {
  const usable = usableOf(builtIns, options);
  const settingsOf = (builtIn: BuiltIn) => options[builtIn.definition.name]?.settings ?? {};
  const poolOf = (builtIn: BuiltIn) => poolOptionsOf(options[builtIn.definition.name] ?? {}, health);
  const specs: InstanceSpec[] = [];
  const aliases = new Set<string>();
  for (const builtIn of usable.slice(0, count)) {
    const { category, port } = builtIn.definition;
    const taken = ports.take(category, ports.isFree(port) ? port : undefined);
    if (taken !== undefined)
      specs.push(
        toSpec({ builtIn, category, settings: settingsOf(builtIn) }, taken, aliases, poolOf(builtIn)),
      );
  }
  let rotation = slotsOf(builtIns, options);
  while (specs.length < count && rotation.length > 0) {
    const full = new Set<Slot>();
    for (const slot of rotation) {
      if (specs.length >= count) break;
      const port = ports.take(slot.category);
      if (port === undefined) full.add(slot);
      else specs.push(toSpec(slot, port, aliases, poolOf(slot.builtIn)));
    }
    rotation = rotation.filter((slot) => !full.has(slot));
  }
  return specs;
}

function needsCredentials(definition: ServerDefinition): boolean {
  return (definition.credentials?.length ?? 0) > 0;
}

function usableOf(
  builtIns: readonly BuiltIn[],
  options: Readonly<Record<string, BuiltInOptions>>,
): readonly BuiltIn[] {
  return builtIns.filter(
    ({ definition }) => options[definition.name]?.enabled !== false && !needsCredentials(definition),
  );
}

/** One slot a built-in of a category, and one for each core server in each category without built-ins. */
export function slotsOf(
  builtIns: readonly BuiltIn[],
  options: Readonly<Record<string, BuiltInOptions>>,
): Slot[] {
  const usable = usableOf(builtIns, options);
  const settingsOf = (builtIn: BuiltIn) => options[builtIn.definition.name]?.settings ?? {};
  const own = usable.filter(({ definition }) => definition.category !== coreCategory);
  const core = usable.filter(({ definition }) => definition.category === coreCategory);
  const covered = new Set(own.map(({ definition }) => definition.category));
  const slots: Slot[] = own.map((builtIn) => ({
    builtIn,
    category: builtIn.definition.category,
    settings: settingsOf(builtIn),
  }));
  for (const category of categories) {
    if (covered.has(category.name)) continue;
    for (const builtIn of core) {
      slots.push({
        builtIn,
        category: category.name,
        settings: settingsIn(category.name, settingsOf(builtIn)),
      });
    }
  }
  return slots;
}
