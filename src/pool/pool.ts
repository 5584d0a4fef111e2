/** All instances: added, started in bounded numbers, looked up, removed. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { createEmitter, type Emitter } from '../kernel/events.ts';
import { createInstance, type Instance, type InstanceDependencies, type InstanceEvent } from './instance.ts';

export type PoolEvent =
  | { readonly kind: 'added' | 'removed'; readonly instance: Instance }
  | { readonly kind: 'instance'; readonly instance: Instance; readonly event: InstanceEvent };

export interface StartReport {
  readonly ready: number;
  readonly failed: number;
  readonly total: number;
}

export interface Pool extends AsyncDisposable {
  readonly events: Emitter<PoolEvent>;
  /** Grows whenever an instance comes, goes or changes what it offers. */
  readonly version: number;
  /** In port order. */
  instances(): readonly Instance[];
  get(id: string): Instance | undefined;
  add(spec: InstanceSpec): Promise<Instance>;
  remove(id: string): Promise<void>;
  /**
   * Starts all that are not lazy, `concurrency` at a time; a failing one keeps trying by itself. A lazy one
   * is only asked what it offers, and only if that is not known yet.
   */
  startAll(
    concurrency: number,
    onProgress?: (report: StartReport) => void,
  ): Promise<{ id: string; reason: string }[]>;
}

export function createPool(deps: InstanceDependencies): Pool {
  const byId = new Map<string, Instance>();
  const events = createEmitter<PoolEvent>((error) =>
    deps.logger.error({ err: error }, 'pool listener failed'),
  );
  let sorted: readonly Instance[] | undefined;
  let version = 0;

  function touch(): void {
    version += 1;
    sorted = undefined;
  }

  function instances(): readonly Instance[] {
    sorted ??= [...byId.values()].sort(
      (a, b) => a.spec.port - b.spec.port || (a.spec.id < b.spec.id ? -1 : 1),
    );
    return sorted;
  }

  return {
    events,
    get version() {
      return version;
    },
    instances,
    get: (id) => byId.get(id),
    async add(spec) {
      const instance = await createInstance(spec, deps);
      if (byId.has(spec.id))
        throw new AppError('INVALID_INPUT', { field: 'id', problem: `${spec.id} is already there` });
      byId.set(spec.id, instance);
      touch();
      instance.events.on((event) => {
        if (event.kind === 'listing') version += 1;
        events.emit({ kind: 'instance', instance, event });
      });
      events.emit({ kind: 'added', instance });
      return instance;
    },
    async remove(id) {
      const instance = byId.get(id);
      if (!instance) throw new AppError('NOT_FOUND', { what: 'server', id });
      byId.delete(id);
      touch();
      await instance.stop();
      events.emit({ kind: 'removed', instance });
    },
    async startAll(concurrency, onProgress) {
      const queue = instances().filter(({ spec, listing }) => !spec.lazy || !listing);
      const total = queue.length;
      const failures: { id: string; reason: string }[] = [];
      let ready = 0;
      let next = 0;
      const worker = async () => {
        for (let instance = queue[next++]; instance !== undefined; instance = queue[next++]) {
          try {
            await (instance.spec.lazy ? instance.learn() : instance.start());
            ready += 1;
          } catch (error) {
            failures.push({ id: instance.spec.id, reason: messageOf(error) });
          }
          onProgress?.({ ready, failed: failures.length, total });
        }
      };
      await Promise.all(Array.from({ length: Math.min(concurrency, total) }, worker));
      return failures;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...byId.values()].map((instance) => instance.stop()));
    },
  };
}
