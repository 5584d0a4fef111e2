/** The bundles there are: those of the config, which stay, and those added while a coordinator runs. */

import { AppError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';

export interface BundleTool {
  /** Name in `/mcp`; with a `*` at its end: every tool whose name begins so. */
  readonly tool: string;
  readonly name?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** Settled here: callers neither see nor give them. */
  readonly arguments?: JsonObject | undefined;
}

export interface BundleSettings {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly tools: readonly BundleTool[];
}

export interface Bundle extends BundleSettings {
  readonly name: string;
  readonly source: 'config' | 'added';
}

/** Keeps the added ones over restarts. */
export interface BundleStore {
  put(name: string, settings: BundleSettings): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface Bundles {
  /** Grows with every change. */
  readonly version: number;
  /** By name. */
  all(): readonly Bundle[];
  /** Throws NOT_FOUND. */
  get(name: string): Bundle;
  /** Adds a bundle or takes the place of an added one; throws INVALID_INPUT for one of the config. */
  put(name: string, settings: BundleSettings): Promise<Bundle>;
  remove(name: string): Promise<void>;
  /** Called after each change with the name, and whether the bundle is gone. */
  onChange(listener: (name: string, isGone: boolean) => void): () => void;
}

export interface BundlesOptions {
  readonly config?: Readonly<Record<string, BundleSettings>>;
  readonly added?: Readonly<Record<string, BundleSettings>>;
  readonly store?: BundleStore;
}

export function createBundles({ config = {}, added = {}, store }: BundlesOptions = {}): Bundles {
  const bundles = new Map<string, Bundle>();
  const listeners = new Set<(name: string, isGone: boolean) => void>();
  let version = 0;
  for (const [name, settings] of Object.entries(added))
    bundles.set(name, { ...settings, name, source: 'added' });
  for (const [name, settings] of Object.entries(config))
    bundles.set(name, { ...settings, name, source: 'config' });

  function changed(name: string, isGone: boolean): void {
    version += 1;
    for (const listener of listeners) listener(name, isGone);
  }

  function get(name: string): Bundle {
    const bundle = bundles.get(name);
    if (!bundle) throw new AppError('NOT_FOUND', { what: 'bundle', id: name });
    return bundle;
  }

  function assertAdded(name: string): void {
    if (bundles.get(name)?.source !== 'config') return;
    throw new AppError('INVALID_INPUT', {
      field: 'name',
      problem: `${name} comes from the config file: change it there`,
    });
  }

  return {
    get version() {
      return version;
    },
    all: () => [...bundles.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    get,
    async put(name, settings) {
      assertAdded(name);
      await store?.put(name, settings);
      const bundle: Bundle = { ...settings, name, source: 'added' };
      bundles.set(name, bundle);
      changed(name, false);
      return bundle;
    },
    async remove(name) {
      get(name);
      assertAdded(name);
      await store?.remove(name);
      bundles.delete(name);
      changed(name, true);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
