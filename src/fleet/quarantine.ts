/** Servers that an operator keeps out of traffic, whatever their source does and over restarts. */

import { AppError } from '../kernel/errors.ts';
import type { Pool } from '../pool/pool.ts';

export interface QuarantineStore {
  put(server: string, reason: string): Promise<void>;
  remove(server: string): Promise<void>;
}

export interface Quarantine {
  /** No call reaches it, and its tools are in no shared list, until it is released. */
  hold(id: string, reason: string): Promise<void>;
  /** Lets it back in, and starts it unless it is lazy. Rejects as a start, and NOT_FOUND when it is nowhere. */
  release(id: string): Promise<void>;
}

/** `held` are the reasons by id; a server that comes into the pool later is held as well. */
export function createQuarantine(
  pool: Pool,
  store: QuarantineStore,
  held: ReadonlyMap<string, string>,
): Quarantine {
  const reasons = new Map(held);
  pool.events.on((event) => {
    if (event.kind !== 'added') return;
    const { instance } = event;
    const reason = reasons.get(instance.spec.id);
    if (reason !== undefined) void instance.quarantine(reason, true);
  });
  return {
    async hold(id, reason) {
      await store.put(id, reason);
      reasons.set(id, reason);
      await pool.get(id)?.quarantine(reason, true);
    },
    async release(id) {
      const instance = pool.get(id);
      if (!instance && !reasons.has(id)) throw new AppError('NOT_FOUND', { what: 'server', id });
      await store.remove(id);
      reasons.delete(id);
      await instance?.release();
    },
  };
}
