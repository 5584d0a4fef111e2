/** Sets how many replicas a server has, and keeps that over restarts. */

import { AppError } from '../kernel/errors.ts';
import type { ScaleBounds } from '../kernel/pool-options.ts';
import type { Instance } from '../pool/instance.ts';

/** Bounds that were set by hand, kept over restarts. */
export interface ScaleKeeper {
  put(server: string, bounds: ScaleBounds): Promise<void>;
  remove(server: string): Promise<void>;
}

/** So many replicas, or other bounds, or (`reset`) those of the config. */
export interface ScaleWish {
  readonly replicas?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly reset?: true | undefined;
}

/** The bounds that a wish stands for; undefined for those of the config. */
export function boundsOf({ scaling }: Instance, wish: ScaleWish): ScaleBounds | undefined {
  const { replicas, min = scaling.bounds.min, max = scaling.bounds.max } = wish;
  if (wish.reset) return undefined;
  return replicas === undefined ? { min, max } : { min: replicas, max: replicas };
}

/** Throws INVALID_INPUT for bounds that there cannot be; then nothing has changed. */
export async function scaleServer(instance: Instance, wish: ScaleWish, kept: ScaleKeeper): Promise<void> {
  if (instance.spec.isolation) {
    const problem = `of ${instance.id} follow its clients, each of which has a connection of its own; maxConnections bounds them`;
    throw new AppError('INVALID_INPUT', { field: 'replicas', problem });
  }
  const bounds = boundsOf(instance, wish);
  instance.scaling.setBounds(bounds);
  if (bounds) await kept.put(instance.id, bounds);
  else await kept.remove(instance.id);
}
