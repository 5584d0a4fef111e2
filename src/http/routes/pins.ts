/** /api/v1/servers/:id/changes, approve, revert. */

import type { PinItem } from '../../contract/rest/pin-routes.ts';
import type { PinGate, PinStatus } from '../../catalog/pins/pin-gate.ts';
import type { Pool } from '../../pool/pool.ts';
import type { RouteHandlers } from '../serve-routes.ts';
import { findServer } from './servers.ts';

type PinRoutes = Pick<RouteHandlers, 'serversChanges' | 'serversApprove' | 'serversRevert'>;

export function pinsRoutes(pool: Pool, pins: PinGate): PinRoutes {
  return {
    async serversChanges({ params }) {
      return toItem(pins.status(findServer(pool, params.id).spec));
    },
    async serversApprove({ params }) {
      const instance = findServer(pool, params.id);
      const status = await pins.approve(instance.spec);
      instance.readmit();
      return toItem(status);
    },
    async serversRevert({ params }) {
      const instance = findServer(pool, params.id);
      const status = await pins.revert(instance.spec);
      instance.readmit();
      return toItem(status);
    },
  };
}

function toItem({ held, changes, suspicions, ...status }: PinStatus): PinItem {
  return {
    ...status,
    held: [...held],
    ...(suspicions && { suspicions: [...suspicions] }),
    changes: changes.map(({ fields, ...change }) => ({
      ...change,
      fields: fields.map(({ what, name, before, after }) => ({ what, name, before, after })),
    })),
  };
}
