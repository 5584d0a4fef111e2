/** One operation on many servers, some at a time: what came of it for each. */

import type { BulkItem, BulkOperation, BulkRequest } from '../contract/rest/bulk-routes.ts';
import { createConcurrencyLimit } from '../kernel/concurrency-limit.ts';
import { AppError, toAppError } from '../kernel/errors.ts';
import type { Instance } from '../pool/instance.ts';
import type { Pool } from '../pool/pool.ts';
import type { Quarantine } from './quarantine.ts';
import { boundsOf, type ScaleKeeper, scaleServer } from './scale-server.ts';
import { findServer, selectServers } from './select-servers.ts';

/** Settings of one server before and after, or why they could not be changed. */
export type ConfigureResult =
  | {
      readonly id: string;
      readonly before: Readonly<Record<string, unknown>>;
      readonly after: Readonly<Record<string, unknown>>;
    }
  | { readonly id: string; readonly error: unknown };

/** Rejects INVALID_INPUT, with nothing changed, when the settings are none. */
export type Configure = (
  instances: readonly Instance[],
  change: { readonly set: Readonly<Record<string, unknown>>; readonly unset: readonly string[] },
  isDryRun: boolean,
) => Promise<ConfigureResult[]>;

export interface BulkDependencies {
  readonly pool: Pool;
  readonly remove: (id: string) => Promise<void>;
  readonly configure: Configure;
  readonly quarantine: Quarantine;
  readonly scales: ScaleKeeper;
  /** Servers at the same time. */
  readonly concurrency: number;
}

export type Bulk = (request: BulkRequest) => Promise<BulkItem[]>;

type OneByOne = Exclude<BulkOperation, 'configure' | 'scale'>;

/** Nothing is left to do for a server in such a state. */
const doneStates: Partial<Record<OneByOne, readonly Instance['state'][]>> = {
  start: ['ready', 'degraded'],
  stop: ['stopped'],
};

export function createBulk(deps: BulkDependencies): Bulk {
  const { pool, remove, configure, quarantine, scales, concurrency } = deps;
  const act: Record<OneByOne, (instance: Instance, reason: string) => Promise<void>> = {
    start: (instance) => instance.start(),
    stop: (instance) => instance.stop(),
    restart: (instance) => instance.restart(),
    remove: ({ id }) => remove(id),
    quarantine: ({ id }, reason) => quarantine.hold(id, reason),
    release: ({ id }) => quarantine.release(id),
  };

  function isDone(operation: OneByOne, instance: Instance): boolean {
    if (operation === 'release') return instance.state !== 'quarantined';
    return doneStates[operation]?.includes(instance.state) ?? false;
  }

  function itemOf(id: string, outcome: BulkItem['outcome']): BulkItem {
    const state = pool.get(id)?.state;
    return { id, outcome, ...(state !== undefined && { state }) };
  }

  function failedItem(id: string, error: unknown): BulkItem {
    const { code, message } = toAppError(error);
    return { ...itemOf(id, 'failed'), code, problem: message };
  }

  async function oneByOne(
    operation: OneByOne,
    instances: readonly Instance[],
    { dryRun, reason = '' }: BulkRequest,
  ): Promise<BulkItem[]> {
    const limit = createConcurrencyLimit(concurrency, Infinity);
    const one = async (instance: Instance): Promise<BulkItem> => {
      const { id } = instance;
      if (isDone(operation, instance)) return itemOf(id, 'unchanged');
      if (dryRun === true) return itemOf(id, 'planned');
      try {
        await act[operation](instance, reason);
        return itemOf(id, 'done');
      } catch (error) {
        return failedItem(id, error);
      }
    };
    return await Promise.all(instances.map((instance) => limit.run(() => one(instance))));
  }

  async function change(instances: readonly Instance[], request: BulkRequest): Promise<BulkItem[]> {
    const { dryRun = false, set = {}, unset = [] } = request;
    const results = await configure(instances, { set, unset }, dryRun);
    return results.map((result) => {
      if ('error' in result) return failedItem(result.id, result.error);
      const { id, before, after } = result;
      const isSame = JSON.stringify(before) === JSON.stringify(after);
      const outcome = isSame ? 'unchanged' : dryRun ? 'planned' : 'done';
      return { ...itemOf(id, outcome), before, after };
    });
  }

  async function scaleOne(instance: Instance, request: BulkRequest): Promise<BulkItem> {
    const { id, scaling } = instance;
    const before = { ...scaling.bounds };
    try {
      const wished = boundsOf(instance, request);
      if (request.dryRun === true)
        return { ...itemOf(id, 'planned'), before, ...(wished && { after: { ...wished } }) };
      await scaleServer(instance, request, scales);
      const after = { ...scaling.bounds };
      const isSame = before.min === after.min && before.max === after.max;
      return { ...itemOf(id, isSame ? 'unchanged' : 'done'), before, after };
    } catch (error) {
      return failedItem(id, error);
    }
  }

  /** Those that are named, each once, and an item for each that there is not. */
  function named(ids: readonly string[]): { instances: Instance[]; missing: BulkItem[] } {
    const instances = new Set<Instance>();
    const missing: BulkItem[] = [];
    for (const id of new Set(ids)) {
      const instance = findServer(pool, id);
      if (instance) instances.add(instance);
      else missing.push(failedItem(id, new AppError('NOT_FOUND', { what: 'server', id })));
    }
    return { instances: [...instances], missing };
  }

  return async (request) => {
    const { operation, select, ids = [] } = request;
    const { instances, missing } =
      select === undefined
        ? named(ids)
        : { instances: selectServers(pool.instances(), select), missing: [] as BulkItem[] };
    if (select !== undefined && instances.length === 0)
      throw new AppError('NOT_FOUND', { what: 'server that matches', id: select });
    const items =
      operation === 'configure'
        ? await change(instances, request)
        : operation === 'scale'
          ? await Promise.all(instances.map((instance) => scaleOne(instance, request)))
          : await oneByOne(operation, instances, request);
    return [...items, ...missing];
  };
}
