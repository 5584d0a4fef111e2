/**
 * Settings that operators change of running servers: checked, kept over restarts, and laid over what the source of a
 * server says. Part of the composition root.
 */

import type { BuiltIn } from './catalog/built-in-servers.ts';
import type { InstanceSpec } from './catalog/instance-spec.ts';
import { applyChanges, type ChangeKey, type SpecChanges, valuesOf } from './catalog/spec-changes.ts';
import { parseChangeableKeys, parseServerChanges } from './config/parse-server-changes.ts';
import type { Configure, ConfigureResult } from './fleet/bulk.ts';
import { AppError } from './kernel/errors.ts';
import { stableJson } from './kernel/stable-json.ts';
import type { Pool } from './pool/pool.ts';
import { placeOf, type ServerChange } from './server-reconcile.ts';
import type { ServerRoster } from './server-roster.ts';
import type { ServerSettingsRows } from './store/server-settings.ts';
import type { OfTenant } from './store/tenant-store.ts';

export interface ServerSettings {
  of(id: string): SpecChanges | undefined;
  /** Of a server that is there no more. */
  forget(id: string): Promise<void>;
  readonly configure: Configure;
}

export interface ServerSettingsOptions {
  readonly pool: Pool;
  readonly rows: OfTenant<ServerSettingsRows>;
  readonly builtIns: readonly BuiltIn[];
  readonly roster: () => ServerRoster;
  readonly onChange: (change: ServerChange) => void;
}

/** One server of which something changes. */
interface Plan {
  readonly spec: InstanceSpec;
  readonly former: SpecChanges | undefined;
  /** Undefined when nothing is left of what was changed. */
  readonly next: SpecChanges | undefined;
  /** The settings in question as an instance has them. */
  readonly read: (spec: InstanceSpec) => Readonly<Record<string, unknown>>;
  readonly before: Readonly<Record<string, unknown>>;
  readonly unset: readonly ChangeKey[];
}

/** Whose entry is written somewhere that a person changes by hand, or is not ours to change. */
const elsewhere: readonly InstanceSpec['source'][] = ['config', 'registered', 'folder', 'dns', 'client'];

export async function openServerSettings(options: ServerSettingsOptions): Promise<ServerSettings> {
  const { pool, rows } = options;
  const all = new Map(await rows.all()) as Map<string, SpecChanges>;

  async function keep(settings: ReadonlyMap<string, SpecChanges | undefined>): Promise<void> {
    await rows.put(settings);
    for (const [id, value] of settings) {
      if (value) all.set(id, value);
      else all.delete(id);
    }
  }

  function planOf(spec: InstanceSpec, set: SpecChanges, unset: readonly ChangeKey[]): Plan {
    if (elsewhere.includes(spec.source))
      throw new AppError('INVALID_INPUT', {
        field: spec.id,
        problem: `comes from ${placeOf(spec)}: change it there`,
      });
    const former = all.get(spec.id);
    const left = Object.entries({ ...former }).filter(([key]) => !unset.includes(key as ChangeKey));
    const next = merged(Object.fromEntries(left), set);
    checkSettings(spec, set);
    const keys = [...Object.keys(set), ...unset] as ChangeKey[];
    const read = (of: InstanceSpec) => valuesOf(of, keys, merged(former ?? {}, set));
    return {
      spec,
      former,
      next: Object.keys(next).length > 0 ? next : undefined,
      unset,
      read,
      before: read(spec),
    };
  }

  /** Settings of a built-in server that it would not start with are refused before anything changes. */
  function checkSettings(spec: InstanceSpec, set: SpecChanges): void {
    if (!set.settings) return;
    const { launch } = spec;
    const builtIn =
      launch.kind === 'in-process' && options.builtIns.find(({ module }) => module === launch.module);
    if (!builtIn)
      throw new AppError('INVALID_INPUT', { field: 'settings', problem: `${spec.id} is no built-in server` });
    const changed = applyChanges(spec, set).launch;
    const result = builtIn.definition.settings?.safeParse('settings' in changed ? changed.settings : {});
    const [issue] = result?.error?.issues ?? [];
    if (issue)
      throw new AppError('INVALID_INPUT', {
        field: ['settings', ...issue.path].join('.'),
        problem: issue.message,
      });
  }

  /** Applies all at once; the failures by id, their former settings in force again. */
  async function apply(plans: readonly Plan[]): Promise<Map<string, unknown>> {
    await keep(new Map(plans.map(({ spec, next }) => [spec.id, next])));
    const { failures } = await options.roster().refresh(isOneOf(plans));
    const failed = new Map(failures.map(({ offer, error }) => [offer.id, error]));
    const undone = plans.filter(({ spec }) => failed.has(spec.id));
    if (undone.length > 0) {
      await keep(new Map(undone.map(({ spec, former }) => [spec.id, former])));
      await options.roster().refresh(isOneOf(undone));
    }
    return failed;
  }

  function resultOf({ spec, before, read }: Plan, failed: ReadonlyMap<string, unknown>): ConfigureResult {
    const { id } = spec;
    if (failed.has(id)) return { id, error: failed.get(id) };
    const after = read(pool.get(id)?.spec ?? spec);
    if (stableJson(after) !== stableJson(before)) {
      const { source, origin } = spec;
      options.onChange({
        action: 'configured',
        server: id,
        source,
        ...(origin !== undefined && { origin }),
        problem: `before: ${stableJson({ ...before, ...('settings' in before && { settings: '…' }) })}`,
      });
    }
    return { id, before, after };
  }

  /** A setting that goes back is known when it has. */
  function preview({ spec, before, read, next, unset }: Plan): ConfigureResult {
    const after = read(applyChanges(spec, next ?? {}));
    const back = unset.map((key) => [key, 'as its source says'] as const);
    return { id: spec.id, before, after: { ...after, ...Object.fromEntries(back) } };
  }

  return {
    of: (id) => all.get(id),
    async forget(id) {
      if (all.has(id)) await keep(new Map([[id, undefined]]));
    },
    async configure(instances, { set, unset }, isDryRun) {
      const changes = parseServerChanges(set) as SpecChanges;
      const keys = parseChangeableKeys(unset);
      const plans: Plan[] = [];
      const refused = new Map<string, unknown>();
      for (const { spec } of instances) {
        try {
          plans.push(planOf(spec, changes, keys));
        } catch (error) {
          refused.set(spec.id, error);
        }
      }
      const changed = plans.filter(({ former, next }) => stableJson(former) !== stableJson(next));
      const failed = isDryRun ? new Map<string, unknown>() : await apply(changed);
      const results = new Map(
        plans.map((plan) => [plan.spec.id, isDryRun ? preview(plan) : resultOf(plan, failed)]),
      );
      return instances.map(({ id }) => results.get(id) ?? { id, error: refused.get(id) });
    },
  };
}

function isOneOf(plans: readonly Plan[]): (server: { readonly id: string }) => boolean {
  const ids = new Set(plans.map(({ spec }) => spec.id));
  return ({ id }) => ids.has(id);
}

/** `settings` and `health` are laid over each other key by key. */
function merged(former: SpecChanges, set: SpecChanges): SpecChanges {
  return {
    ...former,
    ...set,
    ...(former.settings && set.settings && { settings: { ...former.settings, ...set.settings } }),
    ...(former.health && set.health && { health: { ...former.health, ...set.health } }),
  };
}
