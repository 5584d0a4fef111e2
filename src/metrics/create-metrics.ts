/** The metrics, read from counters and from the parts themselves when someone asks for them. */

import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import type { Gateway } from '../gateway/gateway.ts';
import type { MetricsSnapshot, Reading } from '../kernel/exporter.ts';
import type { MemoryClient } from '../kernel/memory/operations.ts';
import { type IncidentKind, incidentKinds } from '../kernel/observations.ts';
import type { Instance } from '../pool/instance.ts';
import type { Pool } from '../pool/pool.ts';
import type { Meters } from './create-meters.ts';
import { boundsSeconds, type Histogram } from './histogram.ts';
import type { IncidentLog } from './incident-log.ts';
import { type MetricName, metricPrefix, metricTable } from './metric-table.ts';

export interface MetricsDependencies {
  readonly pool: Pool;
  /** The threads of built-in servers: how many instances each has, and how busy it is, 0 to 1. */
  readonly hosts: { census(): readonly { readonly connections: number; readonly utilization: number }[] };
  readonly gateway: Pick<Gateway, 'sessions' | 'parkedCalls'>;
  readonly memory: MemoryClient;
  /** Of the listeners; absent without TLS. */
  readonly certificate?: { readonly secondsLeft: number } | undefined;
  /** Of the audit log, where there is one. */
  readonly audit?: (() => Readonly<Record<'written' | 'lost' | 'queued', number>>) | undefined;
  /** Tokens for servers: how refreshes went, and when they end, milliseconds since the epoch. */
  readonly credentials?: {
    readonly refreshes: ReadonlyMap<string, ReadonlyMap<string, number>>;
    ends(): readonly { readonly server: string; readonly endsAtMs: number }[];
  };
  readonly expiringSecrets?: () => Promise<number>;
  readonly meters: Pick<
    Meters,
    | 'calls'
    | 'memory'
    | 'incidents'
    | 'refusals'
    | 'logins'
    | 'tokens'
    | 'findings'
    | 'limited'
    | 'limitsAway'
  >;
}

type Readings = Readonly<Record<MetricName, readonly Reading[]>>;

export interface Metrics {
  /** What is true now. */
  snapshot(): Promise<MetricsSnapshot>;
  /** The same, and what is known of the process, as Prometheus wants it. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

const one = (value: number): Reading[] => [{ labels: {}, value }];

/** Nothing where there is no audit log. */
const ofAudit = (value: number | undefined): Reading[] => (value === undefined ? [] : one(value));

function partsOf(histogram: Histogram, labels: Readonly<Record<string, string>>): Reading[] {
  const buckets = histogram.cumulative().map((value, at): Reading => {
    const bound = boundsSeconds[at]!;
    return { suffix: '_bucket', labels: { ...labels, le: bound === Infinity ? '+Inf' : bound }, value };
  });
  return [
    ...buckets,
    { suffix: '_sum', labels, value: histogram.sumSeconds },
    { suffix: '_count', labels, value: histogram.count },
  ];
}

/** Seconds until the first of each server's ends. */
function firstEnds(ends: readonly { readonly server: string; readonly endsAtMs: number }[]): Reading[] {
  const first = new Map<string, number>();
  for (const { server, endsAtMs } of ends)
    first.set(server, Math.min(first.get(server) ?? Infinity, endsAtMs));
  return [...first].map(([server, endsAtMs]) => ({
    labels: { server },
    value: Math.round((endsAtMs - Date.now()) / 1000),
  }));
}

/** How many there are of each value. */
function tally(label: string, values: Iterable<string>): Reading[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ labels: { [label]: value }, value: count }));
}

/** Of those servers that have it. */
function ofServers(
  instances: readonly Instance[],
  read: (instance: Instance) => number | undefined,
): Reading[] {
  return instances.flatMap((instance) => {
    const value = read(instance);
    return value === undefined ? [] : [{ labels: { server: instance.id }, value }];
  });
}

const counterOf = {
  failover: 'failovers_total',
  retry: 'retries_total',
  'breaker-opening': 'breaker_openings_total',
  restart: 'restarts_total',
  'fail-open': 'fail_opens_total',
} as const satisfies Record<IncidentKind, MetricName>;

type IncidentReadings = Record<(typeof counterOf)[IncidentKind], Reading[]>;

function readIncidents({ counts }: IncidentLog): IncidentReadings {
  const readings = incidentKinds.map((kind) => {
    const byServer = [...(counts.get(kind) ?? [])];
    return [counterOf[kind], byServer.map(([server, value]) => ({ labels: { server }, value }))];
  });
  return Object.fromEntries(readings) as IncidentReadings;
}

export function createMetrics(deps: MetricsDependencies): Metrics {
  const { pool, gateway } = deps;
  const { calls, memory: memoryCalls, incidents } = deps.meters;

  async function read(): Promise<Readings> {
    const instances = pool.instances();
    const members = instances.flatMap((instance) => instance.members);
    const hosts = deps.hosts.census();
    const audit = deps.audit?.();
    const memory = await deps.memory.call('stats', {}, { actor: 'coordinator', agent: 'coordinator' });
    return {
      call_duration_seconds: [...calls.servers].flatMap(([server, { durations }]) =>
        [...durations].flatMap(([outcome, histogram]) => partsOf(histogram, { server, outcome })),
      ),
      call_errors_total: [...calls.servers].flatMap(([server, { errors }]) =>
        [...errors].map(([code, value]) => ({ labels: { server, code }, value })),
      ),
      calls_in_flight: one(instances.reduce((sum, { inFlight }) => sum + inFlight, 0)),
      parked_calls: one(gateway.parkedCalls),
      sessions: one(gateway.sessions.size),
      refused_requests_total: [...deps.meters.refusals].map(([code, value]) => ({ labels: { code }, value })),
      tls_certificate_seconds_left: deps.certificate ? one(deps.certificate.secondsLeft) : [],
      guardrail_findings_total: deps.meters.findings.read(),
      limited_total: [...deps.meters.limited.values()].map(({ per, window, count }) => ({
        labels: { per, window },
        value: count,
      })),
      limits_shared: deps.meters.limitsAway === undefined ? [] : one(deps.meters.limitsAway ? 0 : 1),
      logins_total: [...deps.meters.logins].map(([outcome, value]) => ({ labels: { outcome }, value })),
      issued_tokens_total: [...deps.meters.tokens].map(([kind, value]) => ({ labels: { kind }, value })),
      upstream_token_refreshes_total: [...(deps.credentials?.refreshes ?? [])].flatMap(([server, counts]) =>
        [...counts].map(([outcome, value]) => ({ labels: { server, outcome }, value })),
      ),
      upstream_token_expiry_seconds: firstEnds(deps.credentials?.ends() ?? []),
      expiring_secrets: one((await deps.expiringSecrets?.()) ?? 0),
      instances: tally(
        'state',
        instances.map(({ state }) => state),
      ),
      host_instances: hosts.map(({ connections }, at) => ({ labels: { host: at }, value: connections })),
      host_utilization: hosts.map(({ utilization }, at) => ({ labels: { host: at }, value: utilization })),
      replicas: one(members.length),
      waiting_calls: ofServers(instances, ({ places }) => places?.waiting),
      refused_calls_total: ofServers(instances, ({ places }) => places?.refused),
      own_connections: ofServers(instances, ({ sessions }) => sessions),
      breakers: tally(
        'state',
        members.map(({ breaker }) => breaker),
      ),
      ...readIncidents(incidents),
      audit_records_total: ofAudit(audit?.written),
      audit_lost_records_total: ofAudit(audit?.lost),
      audit_queued_records: ofAudit(audit?.queued),
      memory_operation_duration_seconds: [...memoryCalls.durations].flatMap(([operation, outcomes]) =>
        [...outcomes].flatMap(([outcome, histogram]) => partsOf(histogram, { operation, outcome })),
      ),
      memory_backlog_writes: one(memory.journalPending),
      memory_text_backlog: one(memory.textPending),
      memory_keys: one(memory.keys),
      memory_commits: one(memory.commits),
      memory_repository_bytes: one(memory.repositoryBytes),
    };
  }

  return {
    async snapshot() {
      const readings = Object.entries(await read());
      return Object.fromEntries(readings.map(([name, values]) => [metricPrefix + name, values]));
    },
    async scrape() {
      const readings = await read();
      const registry = new Registry();
      const texts: string[] = [];
      for (const name of Object.keys(metricTable) as MetricName[])
        texts.push(await textOf(registry, name, readings[name]));
      processRegistry ??= createProcessRegistry();
      texts.push(await processRegistry.metrics());
      return { contentType: registry.contentType, text: texts.join('\n\n') };
    },
  };
}

/** A process has one of it, however many coordinators are in it. */
let processRegistry: Registry | undefined;

function createProcessRegistry(): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}

/** Values written at one go: some milliseconds in which nobody else gets a turn. */
const valuesAtOnce = 500;

/** The text of a metric whose values are there already, written in pieces. */
async function textOf(registry: Registry, short: MetricName, readings: readonly Reading[]): Promise<string> {
  const { type, help } = metricTable[short];
  const name = metricPrefix + short;
  let text = '';
  for (let from = 0; from === 0 || from < readings.length; from += valuesAtOnce) {
    const values = readings
      .slice(from, from + valuesAtOnce)
      .map(({ suffix = '', ...reading }) => ({ ...reading, metricName: name + suffix }));
    const metric = { name, get: async () => ({ name, help, type, values, aggregator: 'sum' }) };
    registry.registerMetric(metric as unknown as Metric);
    const piece = await registry.getSingleMetricAsString(name);
    registry.removeSingleMetric(name);
    // The first two lines say what it is; once is enough.
    text += from === 0 ? piece : piece.slice(piece.indexOf('\n', piece.indexOf('\n') + 1));
    await setImmediate();
  }
  return text;
}
