/** Settings of an instance that an operator changes while the coordinator runs, over what its source says. */

import type { OwnPoolOptions } from '../kernel/pool-options.ts';
import type { InstanceSpec } from './instance-spec.ts';

/** What may be changed; what is absent is as the source says. */
export interface SpecChanges extends OwnPoolOptions {
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly replicas?: number | undefined;
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

/** The value of a setting as it is in force; null when there is none. */
export function valueOf(spec: InstanceSpec, key: ChangeKey): unknown {
  if (key === 'settings') return spec.launch.kind === 'in-process' ? spec.launch.settings : null;
  return spec[key] ?? null;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
