/**
 * Deployment in phases: fifty built-in instances are added, started, and each checked by a real call; if one fails, all
 * that the phase added go again. What a phase is about to add is written down first, so that a coordinator that is
 * killed meanwhile knows at its next start what to leave out (ADR 34).
 */

import type { DeployedServer, Phase, PhasePlanner } from '../catalog/phases.ts';
import { phases } from '../catalog/phases.ts';
import type { InstanceSpec } from '../catalog/instance-spec.ts';
import type { PhaseReport, PhaseStatus } from '../contract/rest/deployment-routes.ts';
import { createConcurrencyLimit } from '../kernel/concurrency-limit.ts';
import type { Probe } from '../kernel/define-server.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Pool } from '../pool/pool.ts';
import { checkInstance } from './check-instance.ts';
import { type Failure, groupFailures, percentile } from './phase-figures.ts';

/** What is written down of a phase. */
export interface PhaseRecord {
  readonly phase: number;
  /** Checked, and there after every start. */
  readonly servers: readonly DeployedServer[];
  /** Being added; dropped at the next start. */
  readonly pending: readonly DeployedServer[];
}

export interface DeploymentStore {
  phases(): Promise<unknown[]>;
  put(phase: number, record: PhaseRecord): Promise<void>;
  remove(phase: number): Promise<void>;
  addReport(report: PhaseReport): Promise<void>;
  reports(limit: number): Promise<unknown[]>;
}

export interface DeployerDependencies {
  readonly pool: Pool;
  readonly store: DeploymentStore;
  /** Of the present config. */
  readonly planner: () => PhasePlanner;
  /** By name of the definition. */
  readonly probes: ReadonlyMap<string, Probe>;
  /** Brings the pool to `specs()`; answers what could not be added. */
  readonly apply: () => Promise<readonly { readonly id: string; readonly problem: string }[]>;
  /** Resolves when one that was taken out has finished its calls. */
  readonly drained: (id: string) => Promise<void>;
  /** Instances that are started, or checked, at the same time. */
  readonly concurrency: number;
  readonly logger: Logger;
}

export interface Deployer extends Disposable {
  /** Every instance that is deployed or being deployed. */
  specs(): InstanceSpec[];
  status(): PhaseStatus[];
  /** The newest first. */
  reports(limit: number): Promise<PhaseReport[]>;
  /** One phase at a time; a second call waits. */
  deploy(phase: number, isDryRun?: boolean): Promise<PhaseReport>;
  /** All phases in turn, up to the first that fails. */
  deployAll(isDryRun?: boolean): Promise<PhaseReport[]>;
  undeploy(phase: number, isDryRun?: boolean): Promise<PhaseReport>;
}

type Timings = NonNullable<PhaseReport['timings']>;

function toServer({ id, name, category, port }: InstanceSpec): DeployedServer {
  return { id, name, category, port };
}

/** Reads what is deployed, and rolls back a phase that a killed coordinator had not finished. */
export async function openDeployer(deps: DeployerDependencies): Promise<Deployer> {
  const { pool, store, logger } = deps;
  const records = new Map<number, PhaseRecord>();
  let isClosed = false;
  let queue: Promise<unknown> = Promise.resolve();

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = queue.then(task);
    queue = turn.catch(() => {});
    return turn;
  }

  function assertOpen(): void {
    if (isClosed) throw new AppError('SHUTTING_DOWN');
  }

  async function write(record: PhaseRecord): Promise<void> {
    assertOpen();
    if (record.servers.length + record.pending.length > 0) {
      await store.put(record.phase, record);
      records.set(record.phase, record);
    } else {
      await store.remove(record.phase);
      records.delete(record.phase);
    }
  }

  async function tell(report: PhaseReport): Promise<PhaseReport> {
    const { phase, outcome, servers, failures } = report;
    logger[failures.length > 0 ? 'warn' : 'info'](
      { phase, outcome, servers: servers.length, failures },
      'deployment of a phase',
    );
    await store.addReport(report);
    return report;
  }

  async function takeOut(servers: readonly DeployedServer[]): Promise<void> {
    await deps.apply();
    await Promise.all(servers.map(({ id }) => deps.drained(id)));
  }

  /** Runs a step on all instances at once; the failures, and how long each took in milliseconds. */
  async function onEach(
    servers: readonly DeployedServer[],
    step: 'start' | 'check',
    task: (server: DeployedServer) => Promise<void>,
  ): Promise<{ failures: Failure[]; tookMs: number[] }> {
    const limit = createConcurrencyLimit(deps.concurrency, Infinity);
    const failures: Failure[] = [];
    const tookMs: number[] = [];
    const one = async (server: DeployedServer): Promise<void> => {
      assertOpen();
      const before = performance.now();
      try {
        await task(server);
        tookMs.push(performance.now() - before);
      } catch (error) {
        failures.push({ step, server: server.id, cause: messageOf(error) });
      }
    };
    await Promise.all(servers.map((server) => limit.run(() => one(server))));
    assertOpen();
    return { failures, tookMs };
  }

  /** Adds, starts and checks; the first step that fails is the last. */
  async function bringUp(servers: readonly DeployedServer[], timings: Timings): Promise<Failure[]> {
    const clock = stopwatch();
    const refused = await deps.apply();
    timings.addMs = clock();
    const wanted = new Set(servers.map(({ id }) => id));
    const notAdded = refused.filter(({ id }) => wanted.has(id));
    if (notAdded.length > 0)
      return notAdded.map(({ id, problem }) => ({ step: 'add', server: id, cause: problem }));
    const started = await onEach(servers, 'start', async ({ id }) => await pool.get(id)?.start());
    timings.startMs = clock();
    if (started.failures.length > 0) return started.failures;
    const checked = await onEach(servers, 'check', async ({ id, name }) => {
      const instance = pool.get(id);
      if (!instance) throw new AppError('NOT_FOUND', { what: 'server', id });
      await checkInstance(instance, deps.probes.get(name));
    });
    timings.checkMs = clock();
    timings.checkP50Ms = percentile(checked.tookMs, 0.5);
    timings.checkP95Ms = percentile(checked.tookMs, 0.95);
    return checked.failures;
  }

  /** What the phase would add, and the ports on which something is already. */
  function lookAt(phase: Phase): { missing: DeployedServer[]; kept: number; failures: Failure[] } {
    const used = new Set(pool.instances().map(({ spec }) => spec.port));
    const planned = deps.planner().plan(phase);
    const wanted = phase.shares.reduce((sum, { count }) => sum + count, 0);
    const missing = planned.filter(({ port }) => !used.has(port)).map(toServer);
    const failures: Failure[] =
      planned.length === wanted
        ? []
        : [{ step: 'plan', server: '', cause: `no built-in server may run in ${categoriesOf(phase)}` }];
    return { missing, kept: planned.length - missing.length, failures };
  }

  async function deploy(number: number, isDryRun: boolean): Promise<PhaseReport> {
    const phase = phaseOf(number);
    const { missing, kept, failures: planFailures } = lookAt(phase);
    const ids = missing.map(({ id }) => id);
    const base = { phase: number, title: phase.title, at: new Date().toISOString(), servers: ids, kept };
    if (planFailures.length > 0)
      return await tell({ ...base, outcome: 'rolled-back', failures: groupFailures(planFailures) });
    if (isDryRun) return { ...base, outcome: 'planned', failures: [] };
    if (missing.length === 0) return { ...base, outcome: 'unchanged', failures: [] };
    const { servers } = records.get(number) ?? { servers: [] };
    const timings: Timings = {
      addMs: 0,
      startMs: 0,
      checkMs: 0,
      checkP50Ms: 0,
      checkP95Ms: 0,
      rollbackMs: 0,
    };
    await write({ phase: number, servers, pending: missing });
    const failures = await bringUp(missing, timings);
    if (failures.length === 0) {
      await write({ phase: number, servers: [...servers, ...missing], pending: [] });
      return await tell({ ...base, outcome: 'deployed', timings, failures: [] });
    }
    const clock = stopwatch();
    await write({ phase: number, servers, pending: [] });
    await takeOut(missing);
    timings.rollbackMs = clock();
    return await tell({ ...base, outcome: 'rolled-back', timings, failures: groupFailures(failures) });
  }

  async function undeploy(number: number, isDryRun: boolean): Promise<PhaseReport> {
    const phase = phaseOf(number);
    const servers = records.get(number)?.servers ?? [];
    const base = {
      phase: number,
      title: phase.title,
      at: new Date().toISOString(),
      servers: servers.map(({ id }) => id),
      kept: 0,
      failures: [],
    };
    if (isDryRun) return { ...base, outcome: 'planned' };
    if (servers.length === 0) return { ...base, outcome: 'unchanged' };
    await write({ phase: number, servers: [], pending: [] });
    await takeOut(servers);
    return await tell({ ...base, outcome: 'removed' });
  }

  async function recover(record: PhaseRecord): Promise<void> {
    const { phase, pending } = record;
    await write({ ...record, pending: [] });
    const ids = pending.map(({ id }) => id);
    const cause = 'the coordinator ended while the phase was deployed';
    await tell({
      phase,
      title: phaseOf(phase).title,
      outcome: 'rolled-back',
      at: new Date().toISOString(),
      servers: ids,
      kept: 0,
      failures: [{ step: 'interrupted', cause, servers: ids }],
    });
  }

  for (const record of (await store.phases()) as PhaseRecord[]) {
    records.set(record.phase, record);
    if (record.pending.length > 0) await recover(record);
  }

  return {
    specs() {
      const planner = deps.planner();
      const all = [...records.values()].flatMap(({ servers, pending }) => [...servers, ...pending]);
      return all.flatMap((server) => planner.again(server) ?? []);
    },
    status: () =>
      phases.map(({ phase, title, shares }) => {
        const record = records.get(phase);
        const state = record ? (record.pending.length > 0 ? 'deploying' : 'deployed') : 'none';
        const counts = shares.map(({ category, count }) => ({ category, count }));
        return { phase, title, shares: counts, state, servers: record?.servers.length ?? 0 };
      }),
    reports: async (limit) => (await store.reports(limit)) as PhaseReport[],
    deploy: (phase, isDryRun = false) => inTurn(() => deploy(phase, isDryRun)),
    async deployAll(isDryRun = false) {
      const reports: PhaseReport[] = [];
      for (const { phase } of phases) {
        const report = await inTurn(() => deploy(phase, isDryRun));
        reports.push(report);
        if (report.outcome === 'rolled-back') break;
      }
      return reports;
    },
    undeploy: (phase, isDryRun = false) => inTurn(() => undeploy(phase, isDryRun)),
    [Symbol.dispose]() {
      isClosed = true;
    },
  };
}

function phaseOf(number: number): Phase {
  const phase = phases.find((one) => one.phase === number);
  if (phase) return phase;
  throw new AppError('INVALID_INPUT', { field: 'phase', problem: `must be 1 to ${phases.length}` });
}

function categoriesOf({ shares }: Phase): string {
  return shares.map(({ category }) => category).join(', ');
}

/** Milliseconds since it was made, or since it was last asked. */
function stopwatch(): () => number {
  let before = performance.now();
  return () => {
    const now = performance.now();
    const tookMs = Math.round((now - before) * 10) / 10;
    before = now;
    return tookMs;
  };
}
