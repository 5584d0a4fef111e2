/** All instances: added, started in bounded numbers, looked up, removed. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { createEmitter, type Emitter } from '../kernel/events.ts';
import { defaultSelection } from '../kernel/pool-options.ts';
import { createBalancer } from './balancer.ts';
import { createDraining } from './draining.ts';
import { createCheckSchedule } from './health/check-schedule.ts';
import { createInstance } from './instance.ts';
import type { Instance, InstanceDependencies, InstanceEvent, InstanceGroup } from './instance-types.ts';
import { createRetryBudget } from './retry-budget.ts';
import { createScaler } from './scale/scaler.ts';

export type PoolEvent =
  | { readonly kind: 'added'; readonly instance: Instance }
  /** Out of the pool, its calls not yet finished. */
  | { readonly kind: 'leaving'; readonly instance: Instance }
  /** Its calls have ended, and it runs no more. */
  | { readonly kind: 'removed'; readonly instance: Instance }
  /** Another one has taken its place; `former` finishes its calls. */
  | { readonly kind: 'replaced'; readonly instance: Instance; readonly former: Instance }
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
  /** Takes it out at once; resolves when its calls have ended, or had `drainMs` (none by default). */
  remove(id: string, drainMs?: number): Promise<void>;
  /**
   * Brings up an instance of the spec and puts it where the one of its id was; that one finishes its calls,
   * `drainMs` at most, while this has resolved already. Where the old one serves and the new one cannot start,
   * the old one stays and this rejects UPSTREAM_UNAVAILABLE.
   */
  replace(spec: InstanceSpec, drainMs: number): Promise<Instance>;
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
  const siblings = new Map<string, Set<Instance>>();
  const parts = { checks: createCheckSchedule(deps.clock), scaler: createScaler(deps.clock) };
  const events = createEmitter<PoolEvent>((error) =>
    deps.logger.error({ err: error }, 'pool listener failed'),
  );
  const draining = createDraining(deps);
  let sorted: readonly Instance[] | undefined;
  let version = 0;
  let isClosed = false;

  function touch(): void {
    version += 1;
    sorted = undefined;
  }

  function createGroup(spec: InstanceSpec): InstanceGroup {
    const onFailOpen = (isOpen: boolean) => {
      if (isOpen) deps.onIncident?.({ kind: 'fail-open', server: groupKeyOf(spec) });
    };
    const selection = spec.selection ?? defaultSelection;
    const balancer = createBalancer<Instance>({ ...selection, plugins: deps.policies, onFailOpen });
    return { balancer, budget: createRetryBudget(deps.clock) };
  }

  /** That of its siblings; one that has none, or takes the place of the last one, gets a group of its own settings. */
  function groupFor(spec: InstanceSpec, former?: Instance): InstanceGroup {
    const members = siblings.get(groupKeyOf(spec));
    const isAlone =
      members === undefined || (members.size === 1 && former !== undefined && members.has(former));
    const [first] = isAlone ? [] : members;
    return first?.group ?? createGroup(spec);
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
  }

  function instances(): readonly Instance[] {
    sorted ??= [...byId.values()].sort(
      (a, b) => a.spec.port - b.spec.port || (a.spec.id < b.spec.id ? -1 : 1),
    );
    return sorted;
  }

  function found(id: string): Instance {
    const instance = byId.get(id);
    if (!instance) throw new AppError('NOT_FOUND', { what: 'server', id });
    return instance;
  }

  function put(instance: Instance): void {
    byId.set(instance.spec.id, instance);
    regroup(instance, true);
    touch();
    instance.events.on((event) => {
      if (event.kind === 'listing') version += 1;
      events.emit({ kind: 'instance', instance, event });
    });
  }

  return {
    events,
    get version() {
      return version;
    },
    instances,
    get: (id) => byId.get(id),
    async add(spec) {
      const instance = await createInstance(spec, deps, { ...parts, group: groupFor(spec) });
      if (isClosed) throw new AppError('SHUTTING_DOWN');
      if (byId.has(spec.id))
        throw new AppError('INVALID_INPUT', { field: 'id', problem: `${spec.id} is already there` });
      put(instance);
      events.emit({ kind: 'added', instance });
      return instance;
    },
    async remove(id, drainMs = 0) {
      const instance = found(id);
      byId.delete(id);
      regroup(instance, false);
      touch();
      events.emit({ kind: 'leaving', instance });
      await draining.add(instance, drainMs);
      events.emit({ kind: 'removed', instance });
    },
    async replace(spec, drainMs) {
      const former = found(spec.id);
      const instance = await createInstance(spec, deps, { ...parts, group: groupFor(spec, former) });
      try {
        await prepare(instance, former);
        if (isClosed) throw new AppError('SHUTTING_DOWN');
        if (byId.get(spec.id) !== former) throw new AppError('NOT_FOUND', { what: 'server', id: spec.id });
      } catch (error) {
        await instance.retire();
        throw error;
      }
      regroup(former, false);
      put(instance);
      events.emit({ kind: 'replaced', instance, former });
      void draining.add(former, drainMs);
      return instance;
    },
    async startAll(concurrency, onProgress) {
      const free = instances().filter(({ isHeld }) => !isHeld);
      const eager = free.filter(({ spec }) => !spec.lazy);
      const unknown = free.filter(({ spec, listing }) => spec.lazy && !listing);
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
      await Promise.all([draining.retireAll(), ...[...byId.values()].map((instance) => instance.retire())]);
    },
  };
}

const servingStates: readonly string[] = ['ready', 'degraded', 'sleeping'];

/** Brings the new one to where the old one is: up, asleep with its listing known, or stopped by hand. */
async function prepare(instance: Instance, former: Instance): Promise<void> {
  if (former.isHeld) return await instance.quarantine(former.reason ?? '', true);
  if (former.state === 'stopped') return await instance.stop();
  if (former.logLevel !== undefined) await instance.setLogLevel(former.logLevel);
  const isServing = servingStates.includes(former.state);
  try {
    if (!instance.spec.lazy) await instance.start();
    else if (!instance.listing) await instance.learn();
  } catch (error) {
    // Of two that do not work the new one is what is wanted; it keeps trying.
    if (isServing) throw error;
  }
}
