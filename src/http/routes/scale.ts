/** /api/v1/servers/:id/scale: the number of replicas. */

import { type ScaleKeeper, scaleServer } from '../../fleet/scale-server.ts';
import { defaultQueue } from '../../kernel/pool-options.ts';
import type { Instance } from '../../pool/instance.ts';
import type { RouteAnswer, RouteHandlers } from '../serve-routes.ts';

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

export function scaleRoutes(
  find: (id: string) => Instance,
  kept: ScaleKeeper,
): Pick<RouteHandlers, 'serversScale'> {
  return {
    async serversScale({ params, body }) {
      const instance = find(params.id);
      await scaleServer(instance, body, kept);
      return { id: instance.id, ...toScaleItem(instance) };
    },
  };
}
