/** Settings of an instance that an operator changes while the coordinator runs, over what its source says. */

import type { OwnPoolOptions } from '../kernel/pool-options.ts';
import type { InstanceSpec } from './instance-spec.ts';

/** What may be changed; what is absent is as the source says. */
export interface SpecChanges extends OwnPoolOptions {
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly lazy?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  /** Of a built-in server; those that are not named stay. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
}

export type ChangeKey = keyof SpecChanges;

/** The instance with the changes. */
export function applyChanges(spec: InstanceSpec, changes: SpecChanges): InstanceSpec {
  const { settings, health, ...plain } = changes;
  const { launch } = spec;
  const isBuiltIn = settings !== undefined && launch.kind === 'in-process';
  return {
    ...spec,
    ...given(plain),
    ...(health && { health: { ...spec.health, ...given(health) } as InstanceSpec['health'] }),
    ...(isBuiltIn && { launch: { ...launch, settings: { ...objectOf(launch.settings), ...settings } } }),
  };
}

/**
 * Settings as they are in force, null for one that there is not; of the `settings` of a built-in server those that
 * `changes` names, for the others may hold what is nobody's business.
 */
export function valuesOf(
  spec: InstanceSpec,
  keys: readonly ChangeKey[],
  changes: SpecChanges,
): Record<string, unknown> {
  const own = objectOf(spec.launch.kind === 'in-process' ? spec.launch.settings : undefined);
  const named = Object.keys(changes.settings ?? {});
  const valueOf = (key: ChangeKey): unknown =>
    key === 'settings'
      ? Object.fromEntries(named.map((name) => [name, own[name] ?? null]))
      : (spec[key] ?? null);
  return Object.fromEntries(keys.map((key) => [key, valueOf(key)]));
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
