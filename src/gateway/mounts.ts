/** The three kinds of mount, each with its compiled view, renewed when the pool has changed. */

import { isKnownCategory } from '../catalog/categories.ts';
import { AppError } from '../kernel/errors.ts';
import type { Instance } from '../pool/instance.ts';
import type { Pool } from '../pool/pool.ts';
import { compileView, type GroupSeed, type View } from './view.ts';

export type MountKey = 'all' | `category:${string}` | `server:${string}`;

export interface Mounts {
  /** The view of a mount as of now; throws NOT_FOUND for a category or server that does not exist. */
  view(key: MountKey): View;
  /** The mount key of a path under `/mcp`, or undefined when the path is no mount. */
  keyOf(path: string): MountKey | undefined;
}

const mountPath = /^\/mcp(?:\/(categories|servers)\/([^/]+))?\/?$/;

/** Views kept compiled, and paths kept parsed; the rest is done again on use. */
const maxCachedViews = 2000;

export function createMounts(pool: Pool): Mounts {
  const cache = new Map<MountKey, { version: number; view: View }>();
  /** Paths seen, so that a request costs one look-up. */
  const keys = new Map<string, MountKey>();

  function seedsOf(key: MountKey): GroupSeed[] {
    if (key === 'all') return oneEach(shown(pool.instances()));
    const [kind, id] = splitKey(key);
    if (kind === 'category')
      return routed(shown(pool.instances().filter(({ spec }) => spec.category === id)));
    const instance = pool.get(id);
    if (!instance) throw new AppError('NOT_FOUND', { what: 'server', id });
    return [{ alias: '', instances: [instance] }];
  }

  return {
    view(key) {
      const { version } = pool;
      const cached = cache.get(key);
      if (cached?.version === version) return cached.view;
      const view = compileView(key, seedsOf(key), key.startsWith('server:'));
      if (cache.size >= maxCachedViews) cache.clear();
      cache.set(key, { version, view });
      return view;
    },
    keyOf(path) {
      const known = keys.get(path);
      if (known !== undefined) return known;
      const key = parseMountPath(path);
      if (keys.size >= maxCachedViews) keys.clear();
      if (key !== undefined) keys.set(path, key);
      return key;
    },
  };
}

function parseMountPath(path: string): MountKey | undefined {
  const match = mountPath.exec(path);
  if (!match) return undefined;
  const [, kind, raw] = match;
  if (kind === undefined || raw === undefined) return 'all';
  const id = decode(raw);
  if (id === undefined) return undefined;
  if (kind === 'servers') return `server:${id}`;
  return isKnownCategory(id) ? `category:${id}` : undefined;
}

function decode(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

function splitKey(key: MountKey): [string, string] {
  const at = key.indexOf(':');
  return [key.slice(0, at), key.slice(at + 1)];
}

/** Stopped by hand means gone from shared lists; everything else stays listed, even while it is down. */
function shown(instances: readonly Instance[]): Instance[] {
  return instances.filter(({ state }) => state !== 'stopped');
}

/** `/mcp`: every instance under its own alias, the plain-named memory server first. */
function oneEach(instances: readonly Instance[]): GroupSeed[] {
  const seeds = instances.map((instance) => ({ alias: instance.spec.alias, instances: [instance] }));
  return [...seeds.filter(({ alias }) => alias === ''), ...seeds.filter(({ alias }) => alias !== '')];
}

/** A category: instances of one definition are one group, and calls go round them. */
function routed(instances: readonly Instance[]): GroupSeed[] {
  const groups = new Map<string, Instance[]>();
  for (const instance of instances) {
    const group = groups.get(instance.spec.name);
    if (group) group.push(instance);
    else groups.set(instance.spec.name, [instance]);
  }
  return [...groups.values()].map((members) => {
    const [first] = members;
    const isPlain = members.some(({ spec }) => spec.alias === '');
    return { alias: isPlain ? '' : (first?.spec.name ?? ''), instances: members };
  });
}
