/**
 * Brings the pool to what the sources offer: takes out what nobody offers any more, replaces what has changed,
 * adds what is new, and leaves the rest alone. Part of the composition root, like `server-roster.ts`.
 */

import { createHash } from 'node:crypto';
import type { PortLedger } from './catalog/categories.ts';
import { type Claimant, claimIds, type Conflict } from './catalog/claim-ids.ts';
import type { InstanceSpec } from './catalog/instance-spec.ts';
import { createConcurrencyLimit } from './kernel/concurrency-limit.ts';
import { messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import type { Instance } from './pool/instance.ts';
import type { Pool } from './pool/pool.ts';

/** A server as a source offers it. */
export interface Offer extends Claimant {
  /** Kept out of the pool, but its id is taken. */
  readonly disabled?: boolean;
  /** Some value of it may change without its source. */
  readonly usesSecrets?: boolean;
  /** Everything the instance is made of, secrets read. Throws CONFIG_INVALID. */
  resolve(): Promise<unknown>;
  /** The instance of what was resolved, with its port taken: that of `former` where it can be. Throws INVALID_INPUT. */
  toSpec(resolved: unknown, former?: InstanceSpec): InstanceSpec;
}

export type ChangeAction =
  | 'added'
  | 'replaced'
  | 'removed'
  | 'refused'
  | 'shadowed'
  | 'configured'
  | 'quarantined'
  | 'released';

/** One thing that happened to a server because of its source, or because an operator wanted it. */
export interface ServerChange extends Pick<Claimant, 'source' | 'origin'> {
  readonly action: ChangeAction;
  readonly server: string;
  readonly problem?: string;
}

export interface Failure {
  readonly offer: Offer;
  readonly error: unknown;
}

/** What one reconciliation did, by id. */
export interface Reconciled {
  readonly added: readonly string[];
  readonly replaced: readonly string[];
  readonly removed: readonly string[];
  readonly failures: readonly Failure[];
}

interface Running {
  offer: Offer;
  readonly fingerprint: string;
}

export interface ReconcileDependencies {
  readonly pool: Pool;
  readonly ports: PortLedger;
  readonly logger: Logger;
  /** Servers brought up at the same time. */
  readonly startConcurrency: number;
  /** Longest time that one which goes gets to finish its calls, milliseconds. */
  readonly drainMs: number;
  readonly onChange: (change: ServerChange) => void;
}

export interface Reconciler {
  readonly conflicts: readonly Conflict<Offer>[];
  /** What should have been added or replaced and could not be. */
  readonly failures: readonly Failure[];
  has(id: string): boolean;
  /** `offers` in the order of their precedence; an offer that is the same object as before is not looked at again. */
  run(offers: readonly Offer[], isStarting?: boolean): Promise<Reconciled>;
  /** Resolves when one that was taken out has finished its calls. */
  drained(id: string): Promise<void>;
}

export function createReconciler(deps: ReconcileDependencies): Reconciler {
  const { pool, ports, logger, drainMs } = deps;
  const running = new Map<string, Running>();
  const failed = new Map<string, Failure>();
  const leaving = new Map<string, Promise<void>>();
  const limit = createConcurrencyLimit(deps.startConcurrency, Infinity);
  let conflicts: readonly Conflict<Offer>[] = [];

  function tell(action: ChangeAction, { id, source, origin }: Offer, problem?: string): void {
    deps.onChange({
      action,
      server: id,
      source,
      ...(origin !== undefined && { origin }),
      ...(problem !== undefined && { problem }),
    });
  }

  function takeOut(id: string, { offer }: Running): void {
    running.delete(id);
    const instance = pool.get(id);
    tell('removed', offer);
    if (!instance) return;
    ports.release(instance.spec.port);
    const left = pool
      .remove(id, drainMs)
      .catch((error: unknown) => logger.warn({ server: id, problem: messageOf(error) }, 'could not end it'))
      .finally(() => {
        if (leaving.get(id) === left) leaving.delete(id);
      });
    leaving.set(id, left);
  }

  /** Started in the background: one that cannot start yet is in the pool all the same, and keeps trying. */
  function start(instance: Instance): void {
    const { spec } = instance;
    if (instance.isHeld) return;
    const begin = async (): Promise<void> => {
      if (!spec.lazy) await instance.start();
      else if (!instance.listing) await instance.learn();
    };
    limit
      .run(begin)
      .catch((error: unknown) =>
        logger.warn({ server: spec.id, problem: messageOf(error) }, 'server did not start'),
      );
  }

  async function add(offer: Offer, resolved: unknown, isStarting: boolean): Promise<void> {
    const spec = offer.toSpec(resolved);
    const instance = await pool.add(spec).catch((error: unknown) => {
      ports.release(spec.port);
      throw error;
    });
    if (isStarting) start(instance);
  }

  async function replace(offer: Offer, resolved: unknown, { spec: former }: Instance): Promise<void> {
    ports.release(former.port);
    let spec: InstanceSpec | undefined;
    try {
      spec = offer.toSpec(resolved, former);
      const wanted = spec;
      await limit.run(() => pool.replace(wanted, drainMs));
    } catch (error) {
      if (spec) ports.release(spec.port);
      ports.take(former.category, former.port);
      throw error;
    }
  }

  async function bring(offer: Offer, isStarting: boolean): Promise<'added' | 'replaced' | undefined> {
    const { id } = offer;
    const resolved = await offer.resolve();
    const fingerprint = fingerprintOf(offer, resolved);
    const present = running.get(id);
    if (present?.fingerprint === fingerprint) {
      present.offer = offer;
      return undefined;
    }
    // What another source offers is another server: the old one goes even where the new one cannot start.
    if (present && !isSameSource(present.offer, offer)) takeOut(id, present);
    const instance = running.has(id) ? pool.get(id) : undefined;
    if (instance) await replace(offer, resolved, instance);
    else await add(offer, resolved, isStarting);
    running.set(id, { offer, fingerprint });
    return instance ? 'replaced' : 'added';
  }

  function noteConflicts(now: readonly Conflict<Offer>[]): void {
    const known = new Set(conflicts.map(({ claimant }) => claimant));
    for (const { claimant, winner } of now) {
      if (!known.has(claimant))
        tell('shadowed', claimant, `${winner.name} of ${placeOf(winner)} has its name`);
    }
    conflicts = now;
  }

  return {
    get conflicts() {
      return conflicts;
    },
    get failures() {
      return [...failed.values()];
    },
    has: (id) => running.has(id),
    async run(offers, isStarting = true) {
      const { winners, conflicts: now } = claimIds(offers);
      noteConflicts(now);
      const wanted = [...winners.values()].filter(({ disabled }) => disabled !== true);
      const wantedIds = new Set(wanted.map(({ id }) => id));
      const removed = [...running].filter(([id]) => !wantedIds.has(id));
      for (const [id, one] of removed) takeOut(id, one);
      for (const id of failed.keys()) if (!wantedIds.has(id)) failed.delete(id);
      const done = { added: [] as string[], replaced: [] as string[] };
      const failures: Failure[] = [];
      const bringOne = async (offer: Offer): Promise<void> => {
        try {
          const action = await bring(offer, isStarting);
          failed.delete(offer.id);
          if (!action) return;
          done[action].push(offer.id);
          tell(action, offer);
        } catch (error) {
          failed.set(offer.id, { offer, error });
          failures.push({ offer, error });
          tell('refused', offer, messageOf(error));
        }
      };
      const changed = wanted.filter(
        (offer) => running.get(offer.id)?.offer !== offer && failed.get(offer.id)?.offer !== offer,
      );
      // New ones take their ports in the order of their precedence; those that change may come up side by side.
      for (const offer of changed.filter(({ id }) => !running.has(id))) await bringOne(offer);
      await Promise.all(changed.filter(({ id }) => running.has(id)).map(bringOne));
      return { ...done, removed: removed.map(([id]) => id), failures };
    },
    async drained(id) {
      await leaving.get(id);
    },
  };
}

/** What several reconciliations did, one after the other. */
export function together(all: readonly Reconciled[]): Reconciled {
  return {
    added: all.flatMap(({ added }) => added),
    replaced: all.flatMap(({ replaced }) => replaced),
    removed: all.flatMap(({ removed }) => removed),
    failures: all.flatMap(({ failures }) => failures),
  };
}

function isSameSource(a: Claimant, b: Claimant): boolean {
  return a.source === b.source && a.origin === b.origin;
}

/** Tells whether anything has changed, without keeping the secrets it was made of. */
function fingerprintOf({ name, source, origin, group }: Offer, resolved: unknown): string {
  const text = JSON.stringify([name, source, origin, group, resolved]);
  return createHash('sha256').update(text).digest('hex');
}

/** `the config`, `folder /srv/mcp/a.yaml`: for people. */
export function placeOf({ source, origin }: Claimant): string {
  return origin === undefined ? `the ${source}` : `${source} ${origin}`;
}
