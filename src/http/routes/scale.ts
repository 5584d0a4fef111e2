/** /api/v1/servers/:id/scale: the number of replicas. */

import { defaultQueue, type ScaleBounds } from '../../kernel/pool-options.ts';
import type { Instance } from '../../pool/instance.ts';
import type { RouteAnswer, RouteHandlers, RouteInput } from '../serve-routes.ts';

/** Bounds that were set by hand, kept over restarts. */
export interface ScaleKeeper {
  put(server: string, bounds: ScaleBounds): Promise<void>;
  remove(server: string): Promise<void>;
}

/** What is shown of an instance's number of replicas. */
export function toScaleItem({ scaling, replicas }: Instance): RouteAnswer<'serversInspect'>['scale'] {
  return {
    ...scaling.bounds,
    replicas: replicas.members.length,
    leaving: replicas.leaving.length,
    byHand: scaling.isByHand,
    decisions: scaling.decisions.map(({ atMs, from, to, reason }) => {
      return { at: new Date(atMs).toISOString(), from, to, reason };
    }),
  };
}

/** What is shown of its queue; undefined where calls never wait. */
export function toQueueItem({ places, spec }: Instance): RouteAnswer<'serversInspect'>['queue'] {
  if (!places) return undefined;
  const { waiting, refused, limit } = places;
  return { maxConcurrency: limit, waiting, ...(spec.queue ?? defaultQueue), refused };
}

function boundsOf({ bounds }: Instance['scaling'], body: RouteInput<'serversScale'>['body']): ScaleBounds {
  const { replicas, min, max } = body;
  if (replicas !== undefined) return { min: replicas, max: replicas };
  return { min: min ?? bounds.min, max: max ?? bounds.max };
}

export function scaleRoutes(
  find: (id: string) => Instance,
  kept: ScaleKeeper,
): Pick<RouteHandlers, 'serversScale'> {
  return {
    async serversScale({ params, body }) {
      const instance = find(params.id);
      const { id, scaling } = instance;
      if (body.reset) {
        scaling.setBounds();
        await kept.remove(id);
      } else {
        scaling.setBounds(boundsOf(scaling, body));
        await kept.put(id, scaling.bounds);
      }
      return { id, ...toScaleItem(instance) };
    },
  };
}
