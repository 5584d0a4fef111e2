import { describe, expect, it } from 'vitest';
import { connectScripted, createScriptedUpstream } from '../../test/fixtures/scripted-upstream.ts';
import { builtInServers } from '../catalog/built-in-servers.ts';
import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { createPhasePlanner, phases, placesOf } from '../catalog/phases.ts';
import type { PhaseReport } from '../contract/rest/deployment-routes.ts';
import { systemClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/log.ts';
import { defaultHealth } from '../kernel/pool-options.ts';
import { createPool } from '../pool/pool.ts';
import { type DeploymentStore, openDeployer, type PhaseRecord } from './deployer.ts';
import { percentile } from './phase-figures.ts';

const definitions = new Map(builtInServers.map(({ definition }) => [definition.name, definition]));

/** Rows in memory, as JSON, so that what is read is never the object that was written. */
function createRows(): DeploymentStore & { readonly records: Map<number, string> } {
  const records = new Map<number, string>();
  const reports: string[] = [];
  return {
    records,
    phases: async () => [...records.values()].map((text) => JSON.parse(text) as unknown),
    put: async (phase, record) => void records.set(phase, JSON.stringify(record)),
    remove: async (phase) => void records.delete(phase),
    addReport: async (report) => void reports.unshift(JSON.stringify(report)),
    reports: async (limit) => reports.slice(0, limit).map((text) => JSON.parse(text) as unknown),
  };
}

interface Faults {
  start?: (spec: InstanceSpec) => void | Promise<void>;
  call?: (spec: InstanceSpec) => void;
}

/** A deployer over a real pool; every connection answers by `faults`. */
async function setUp(store = createRows(), faults: Faults = {}) {
  /** `id tool`, in the order of the calls. */
  const called: string[] = [];
  const pool = createPool({
    async connect(spec, events) {
      await faults.start?.(spec);
      const upstream = createScriptedUpstream('modern', {
        'tools/list': () => ({ tools: [] }),
        'server/discover': () => {
          called.push(`${spec.id} server/discover`);
          return {};
        },
        'tools/call': ({ name }) => {
          called.push(`${spec.id} ${String(name)}`);
          faults.call?.(spec);
          return { content: [], isError: false };
        },
      });
      return connectScripted(upstream, events);
    },
    listings: { get: async () => undefined, put: async () => {} },
    clock: systemClock,
    logger: silentLogger,
  });
  const deployer = await openDeployer({
    pool,
    store,
    planner: () => createPhasePlanner(builtInServers, {}, defaultHealth),
    probes: new Map([...definitions].flatMap(([name, { probe }]) => (probe ? [[name, probe]] : []))),
    async apply() {
      const wanted = new Map(deployer.specs().map((spec) => [spec.id, spec]));
      for (const { spec } of pool.instances())
        if (spec.source === 'deployed' && !wanted.has(spec.id)) await pool.remove(spec.id);
      for (const spec of wanted.values()) if (!pool.get(spec.id)) await pool.add(spec);
      return [];
    },
    drained: async () => {},
    concurrency: 8,
    logger: silentLogger,
  });
  const ports = () => pool.instances().map(({ spec }) => spec.port);
  return { pool, deployer, store, called, ports };
}

const firstPorts = placesOf(phases[0]!)
  .map(({ port }) => port)
  .sort((a, b) => a - b);

function foreign(port: number): InstanceSpec {
  return {
    id: 'mine',
    name: 'mine',
    alias: 'mine',
    title: 'Mine',
    category: 'database',
    port,
    replicas: 1,
    lazy: true,
    source: 'config',
    launch: { kind: 'stdio', command: 'never', args: [], env: {}, era: 'auto' },
    listingKey: 'mine',
  };
}

describe('a deployment', () => {
  it('adds fifty instances and checks each by a call of its own probe', async () => {
    const { pool, deployer, called, ports } = await setUp();
    await using _ = pool;
    const report = await deployer.deploy(1);
    expect(report).toMatchObject({ phase: 1, outcome: 'deployed', kept: 0, failures: [] });
    expect(ports()).toEqual(firstPorts);
    expect(called).toHaveLength(50);
    expect(called).toContain('sqlite-3104 query');
    expect(called.filter((line) => line.endsWith(' server/discover'))).toHaveLength(10);
    expect(deployer.status()[0]).toMatchObject({ state: 'deployed', servers: 50 });
    expect(await deployer.reports(9)).toEqual([report]);
  });

  it('is no work the second time, and says so', async () => {
    const { pool, deployer, called } = await setUp();
    await using _ = pool;
    await deployer.deploy(1);
    expect(await deployer.deploy(1)).toMatchObject({ outcome: 'unchanged', kept: 50, servers: [] });
    expect(called).toHaveLength(50);
    expect(await deployer.reports(9)).toHaveLength(1);
  });

  it('of the same phase, asked for twice at once, happens once', async () => {
    const { pool, deployer } = await setUp();
    await using _ = pool;
    const outcomes = await Promise.all([deployer.deploy(2), deployer.deploy(2)]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['deployed', 'unchanged']);
  });

  it('leaves alone what is there, and takes out what it added when one check fails', async () => {
    const faults: Faults = {
      call: ({ id }) => {
        if (id.startsWith('git-operations')) throw new Error(`no repository for ${id}`);
      },
    };
    const { pool, deployer, ports, store } = await setUp(createRows(), faults);
    await using _ = pool;
    await pool.add(foreign(3104));
    const report = await deployer.deploy(1);
    expect(report).toMatchObject({ outcome: 'rolled-back', kept: 1 });
    expect(report.failures).toEqual([
      { step: 'check', cause: 'no repository for <server>', servers: expect.any(Array) },
    ]);
    expect(report.failures[0]?.servers).toHaveLength(10);
    expect(ports()).toEqual([3104]);
    expect(store.records.size).toBe(0);
  });

  it('rolls back when one does not start, without a check', async () => {
    const faults: Faults = {
      start: ({ port }) => {
        if (port === 3300) throw new Error('no such program');
      },
    };
    const { pool, deployer, ports, called } = await setUp(createRows(), faults);
    await using _ = pool;
    const { failures } = await deployer.deploy(1);
    expect(failures).toMatchObject([{ step: 'start', servers: ['git-operations-3300'] }]);
    expect([ports(), called]).toEqual([[], []]);
  });

  it('keeps what an earlier deployment of the phase had checked', async () => {
    const faults: Faults = {};
    const { pool, deployer, ports } = await setUp(createRows(), faults);
    await using _ = pool;
    await pool.add(foreign(3104));
    await deployer.deploy(1);
    await pool.remove('mine');
    faults.call = () => {
      throw new Error('broken now');
    };
    expect(await deployer.deploy(1)).toMatchObject({ outcome: 'rolled-back', servers: ['sqlite-3104'] });
    expect(ports()).toHaveLength(49);
    faults.call = () => {};
    expect(await deployer.deploy(1)).toMatchObject({ outcome: 'deployed', kept: 49 });
    expect(deployer.status()[0]).toMatchObject({ servers: 50 });
  });

  it('of all phases ends at the first that fails', async () => {
    const faults: Faults = {
      call: ({ category }) => {
        if (category === 'devtools') throw new Error('out of order');
      },
    };
    const { pool, deployer, ports } = await setUp(createRows(), faults);
    await using _ = pool;
    const reports = await deployer.deployAll();
    expect(reports.map(({ outcome }) => outcome)).toEqual(['deployed', 'deployed', 'rolled-back']);
    expect(ports()).toHaveLength(100);
  });

  it('of all phases brings a thousand, and taking them out brings none', async () => {
    const { pool, deployer, ports, store } = await setUp();
    await using _ = pool;
    await deployer.deployAll();
    expect(new Set(ports()).size).toBe(1000);
    for (const { phase } of phases)
      expect(await deployer.undeploy(phase)).toMatchObject({ outcome: 'removed' });
    expect([ports(), store.records.size]).toEqual([[], 0]);
    expect(await deployer.undeploy(1)).toMatchObject({ outcome: 'unchanged' });
  });

  it('does nothing in a dry run', async () => {
    const { pool, deployer, ports, store } = await setUp();
    await using _ = pool;
    const planned = await deployer.deploy(1, true);
    expect([planned.outcome, planned.servers.length, ports(), store.records.size]).toEqual([
      'planned',
      50,
      [],
      0,
    ]);
    await deployer.deploy(1);
    expect(await deployer.undeploy(1, true)).toMatchObject({ outcome: 'planned' });
    expect(ports()).toHaveLength(50);
  });

  it('refuses a phase that there is not', async () => {
    const { pool, deployer } = await setUp();
    await using _ = pool;
    await expect(deployer.deploy(21)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('a coordinator that ended during a deployment', () => {
  it('rolls the half-done phase back at its next start and keeps the others', async () => {
    const store = createRows();
    const gate = Promise.withResolvers<void>();
    const first = await setUp(store, {
      start: async ({ category }) => {
        if (category === 'ai-ml') await gate.promise;
      },
    });
    await first.deployer.deploy(1);
    const interrupted = first.deployer.deploy(2);
    while (!store.records.has(2)) await new Promise<void>((resolve) => void setImmediate(resolve));
    // It writes nothing more, as one that was killed.
    first.deployer[Symbol.dispose]();
    gate.resolve();
    await expect(interrupted).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await first.pool[Symbol.asyncDispose]();
    expect((JSON.parse(store.records.get(2)!) as PhaseRecord).pending).toHaveLength(50);

    const second = await setUp(store);
    await using _ = second.pool;
    expect(second.deployer.specs().map(({ port }) => port)).toEqual(
      placesOf(phases[0]!).map(({ port }) => port),
    );
    const [report] = (await second.deployer.reports(1)) as [PhaseReport];
    expect(report).toMatchObject({ phase: 2, outcome: 'rolled-back', failures: [{ step: 'interrupted' }] });
    expect(store.records.has(2)).toBe(false);
    expect(await second.deployer.deploy(2)).toMatchObject({ outcome: 'deployed' });
  });
});

describe('percentile', () => {
  it('is the nearest rank', () => {
    const values = Array.from({ length: 50 }, (_, index) => 50 - index);
    expect([percentile(values, 0.5), percentile(values, 0.95), percentile(values, 1)]).toEqual([25, 48, 50]);
    expect([percentile([], 0.95), percentile([7.26], 0.5)]).toEqual([0, 7.3]);
  });
});
