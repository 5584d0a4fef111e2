/** The kinds of mount, each with its compiled view, renewed when the pool has changed. */

import { isKnownCategory } from '../catalog/categories.ts';
import { AppError } from '../kernel/errors.ts';
import type { Instance } from '../pool/instance.ts';
import type { Pool } from '../pool/pool.ts';
import type { Bundles } from './bundles/bundles.ts';
import { compileBundle } from './bundles/compile-bundle.ts';
import { searchSuffix, toSearchView } from './tool-search/search-view.ts';
import { compileView, type GroupSeed, type View } from './view.ts';

export type BaseKey = 'all' | `category:${string}` | `server:${string}` | `bundle:${string}`;
/** With the suffix: the same tools, to be searched instead of listed. */
export type MountKey = BaseKey | `${BaseKey}${typeof searchSuffix}`;

export interface Mounts {
  /** The view of a mount as of now; throws NOT_FOUND for a category, server or bundle that does not exist. */
  view(key: MountKey): View;
  /**
   * The mount key of a path under `/mcp` with its query, or undefined when the path is no mount. Throws INVALID_INPUT
   * when `tools=` asks for what there is not.
   */
  keyOf(path: string, query?: string): MountKey | undefined;
}

export interface MountOptions {
  readonly bundles: Bundles;
  /** Tools that search mode lists beside its own. */
  readonly alwaysListed?: ((name: string) => boolean) | undefined;
}

const mountPath = /^\/mcp(?:\/(categories|servers|bundles)\/([^/]+))?\/?$/;

/** Views kept compiled, and paths kept parsed; the rest is done again on use. */
const maxCachedViews = 2000;

/** A mount's key without search mode. */
export function baseKeyOf(key: MountKey): BaseKey {
  return (key.endsWith(searchSuffix) ? key.slice(0, -searchSuffix.length) : key) as BaseKey;
}

export function createMounts(pool: Pool, { bundles, alwaysListed }: MountOptions): Mounts {
  const cache = new Map<MountKey, { version: number; view: View }>();
  /** Paths seen, so that a request costs one look-up. */
  const keys = new Map<string, BaseKey>();

  function seedsOf(key: Exclude<BaseKey, `bundle:${string}`>): GroupSeed[] {
    if (key === 'all') return oneEach(shown(pool.instances()));
    const [kind, id] = splitKey(key);
    if (kind === 'category')
      return routed(shown(pool.instances().filter(({ spec }) => spec.category === id)));
    const instance = pool.get(id);
    if (!instance) throw new AppError('NOT_FOUND', { what: 'server', id });
    return [{ alias: '', instances: [instance] }];
  }

  function compile(key: MountKey): View {
    const base = baseKeyOf(key);
    if (base !== key) return toSearchView(view(base), alwaysListed);
    if (isBundleKey(base)) return compileBundle(base, bundles.get(splitKey(base)[1]), view('all'));
    return compileView(base, seedsOf(base), base.startsWith('server:'));
  }

  function view(key: MountKey): View {
    // Both only grow, so their sum stands for both.
    const version = pool.version + bundles.version;
    const cached = cache.get(key);
    if (cached?.version === version) return cached.view;
    const compiled = compile(key);
    if (cache.size >= maxCachedViews) cache.clear();
    cache.set(key, { version, view: compiled });
    return compiled;
  }

  function baseOf(path: string): BaseKey | undefined {
    const known = keys.get(path);
    if (known !== undefined) return known;
    const key = parseMountPath(path);
    if (keys.size >= maxCachedViews) keys.clear();
    if (key !== undefined) keys.set(path, key);
    return key;
  }

  return {
    view,
    keyOf(path, query = '') {
      const base = baseOf(path);
      if (base === undefined || query === '') return base;
      const mode = new URLSearchParams(query).get('tools');
      if (mode === null || mode === 'list') return base;
      if (mode === 'search') return `${base}${searchSuffix}`;
      throw new AppError('INVALID_INPUT', { field: 'query.tools', problem: 'must be list or search' });
    },
  };
}

function parseMountPath(path: string): BaseKey | undefined {
  const match = mountPath.exec(path);
  if (!match) return undefined;
  const [, kind, raw] = match;
  if (kind === undefined || raw === undefined) return 'all';
  const id = decode(raw);
  if (id === undefined || id.includes('?')) return undefined;
  if (kind === 'servers') return `server:${id}`;
  if (kind === 'bundles') return `bundle:${id}`;
  return isKnownCategory(id) ? `category:${id}` : undefined;
}

function isBundleKey(key: BaseKey): key is `bundle:${string}` {
  return key.startsWith('bundle:');
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

/** Stopped or put into quarantine by hand means gone from shared lists; all else stays listed, even while it is down. */
function shown(instances: readonly Instance[]): Instance[] {
  return instances.filter(({ state, isHeld }) => state !== 'stopped' && !isHeld);
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
