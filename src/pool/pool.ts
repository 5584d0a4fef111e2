/** All instances: added, started in bounded numbers, looked up, removed. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { createEmitter, type Emitter } from '../kernel/events.ts';
import { defaultSelection } from '../kernel/pool-options.ts';
import { createBalancer } from './balancer.ts';
import { createCheckSchedule } from './health/check-schedule.ts';
import { createInstance } from './instance.ts';
import type { Instance, InstanceDependencies, InstanceEvent, InstanceGroup } from './instance-types.ts';
import { createRetryBudget } from './retry-budget.ts';

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

/** A lazy server that is slow to say what it offers holds nobody up longer; its tools are announced later. */
const learnPatienceMs = 5000;

/** Runs `task` over all items, so many at a time. */
async function eachOf<T>(
  items: readonly T[],
  concurrency: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}

/** Instances of one definition in one category are interchangeable: calls to a category go round them. */
function groupKeyOf({ category, name }: InstanceSpec): string {
  return `${category}/${name}`;
}

export function createPool(deps: InstanceDependencies): Pool {
  const byId = new Map<string, Instance>();
  const groups = new Map<string, InstanceGroup>();
  const siblings = new Map<string, Set<Instance>>();
  const checks = createCheckSchedule(deps.clock);
  const events = createEmitter<PoolEvent>((error) =>
    deps.logger.error({ err: error }, 'pool listener failed'),
  );
  let sorted: readonly Instance[] | undefined;
  let version = 0;
  let isClosed = false;

  function touch(): void {
    version += 1;
    sorted = undefined;
  }

  function groupOf(spec: InstanceSpec): InstanceGroup {
    const key = groupKeyOf(spec);
    const known = groups.get(key);
    if (known) return known;
    const onFailOpen = (isOpen: boolean) => {
      if (isOpen) deps.logger.warn({ group: key }, 'no healthy instance is left: calls go to sick ones');
    };
    const balancer = createBalancer<Instance>({ ...(spec.selection ?? defaultSelection), onFailOpen });
    const group = { balancer, budget: createRetryBudget(deps.clock) };
    groups.set(key, group);
    return group;
  }

  /** An instance came or went: its group chooses among the others, or is forgotten with its last one. */
  function regroup(instance: Instance, isThere: boolean): void {
    const key = groupKeyOf(instance.spec);
    const members = siblings.get(key) ?? new Set();
    if (isThere) members.add(instance);
    else members.delete(instance);
    siblings.set(key, members);
    instance.group.balancer.setMembers(members);
    if (members.size > 0) return;
    siblings.delete(key);
    groups.delete(key);
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
      const instance = await createInstance(spec, deps, { group: groupOf(spec), checks });
      if (isClosed) throw new AppError('SHUTTING_DOWN');
      if (byId.has(spec.id))
        throw new AppError('INVALID_INPUT', { field: 'id', problem: `${spec.id} is already there` });
      byId.set(spec.id, instance);
      regroup(instance, true);
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
      regroup(instance, false);
      touch();
      await instance.retire(true);
      events.emit({ kind: 'removed', instance });
    },
    async startAll(concurrency, onProgress) {
      const eager = instances().filter(({ spec }) => !spec.lazy);
      const unknown = instances().filter(({ spec, listing }) => spec.lazy && !listing);
      const total = eager.length;
      const failures: { id: string; reason: string }[] = [];
      let ready = 0;
      await eachOf(eager, concurrency, async (instance) => {
        try {
          await instance.start();
          ready += 1;
        } catch (error) {
          failures.push({ id: instance.spec.id, reason: messageOf(error) });
        }
        onProgress?.({ ready, failed: failures.length, total });
      });
      const learning = eachOf(unknown, concurrency, async (instance) => {
        await instance.learn().catch((error: unknown) => {
          deps.logger.warn(
            { server: instance.spec.id, problem: messageOf(error) },
            'could not learn what it offers',
          );
        });
      });
      await Promise.race([
        learning,
        new Promise<void>((resolve) => void deps.clock.after(learnPatienceMs, resolve)),
      ]);
      return failures;
    },
    async [Symbol.asyncDispose]() {
      // A start under way goes on to the next instance: retired ones refuse.
      isClosed = true;
      await Promise.all([...byId.values()].map((instance) => instance.retire()));
    },
  };
}
