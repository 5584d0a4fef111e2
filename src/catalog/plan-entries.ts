/** Turns `mcpServers` entries, secrets resolved, into instances. */

import { createHash } from 'node:crypto';
import { customCategory } from '../kernel/category-names.ts';
import { AppError } from '../kernel/errors.ts';
import {
  defaultFill,
  defaultHealth,
  defaultScale,
  type HealthOptions,
  type Isolation,
  type OwnPoolOptions,
  poolOptionsOf,
  type ScaleOptions,
} from '../kernel/pool-options.ts';
import type { ProcessLimits } from '../kernel/process-limits.ts';
import type { Era } from '../kernel/protocol.ts';
import { needsUser, type UpstreamAuth } from '../kernel/upstream-auth.ts';
import { type BuiltIn, builtInListingKey } from './built-in-servers.ts';
import type { PortLedger } from './categories.ts';
import type { InstanceSpec, Launch, ServerSource } from './instance-spec.ts';

/** Bounds as written; without a target it is made from `maxConcurrency`. */
type WantedScale = Omit<ScaleOptions, 'targetConcurrency'> & {
  readonly targetConcurrency?: number | undefined;
};

/** One entry as the pool needs it: every value is text, nothing is a reference any more. */
export interface ServerEntry extends OwnPoolOptions {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly limits?: ProcessLimits;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: UpstreamAuth;
  readonly builtin?: string;
  readonly settings?: unknown;
  readonly category?: string;
  readonly port?: number;
  readonly replicas?: number | WantedScale;
  readonly lazy?: boolean;
  readonly isolation?: Isolation;
  readonly maxConnections?: number;
  readonly era?: Era | 'auto';
  readonly timeoutMs?: number;
  readonly title?: string;
  readonly pin?: boolean;
  readonly tags?: readonly string[];
}

/** `GitHub Enterprise` → `github-enterprise`: fit for URLs and scopes. */
export function idOf(name: string): string {
  const id = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|-+$/g, '');
  return id === ''
    ? `server-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
    : id.slice(0, 64);
}

/** The prefix of its tools: the name as people wrote it, where the alphabet of names allows. */
function aliasOf(name: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name) ? name : idOf(name).replaceAll('.', '-');
}

function launchOf(name: string, entry: ServerEntry, builtIns: readonly BuiltIn[]): Launch {
  const era = entry.era ?? 'auto';
  if (entry.builtin !== undefined) {
    const builtIn = builtIns.find(({ definition }) => definition.name === entry.builtin);
    if (!builtIn) {
      const known = builtIns.map(({ definition }) => definition.name).join(', ');
      throw new AppError('INVALID_INPUT', {
        field: `mcpServers.${name}.builtin`,
        problem: `"${entry.builtin}" is not one of ${known}`,
      });
    }
    return { kind: 'in-process', module: builtIn.module, settings: entry.settings ?? {} };
  }
  if (entry.command !== undefined) {
    const { command, args = [], env = {}, cwd, limits } = entry;
    const given = { ...(cwd !== undefined && { cwd }), ...(limits && { limits }) };
    return { kind: 'stdio', command, args, env, era, ...given };
  }
  if (entry.url !== undefined)
    return { kind: 'streamable-http', url: entry.url, headers: entry.headers ?? {}, era };
  throw new AppError('INVALID_INPUT', {
    field: `mcpServers.${name}`,
    problem: 'needs a command, a url or a builtin',
  });
}

function replicasOf({ replicas = 1, maxConcurrency }: ServerEntry): Pick<InstanceSpec, 'replicas' | 'scale'> {
  if (typeof replicas === 'number') return { replicas };
  const byLimit = maxConcurrency === undefined ? undefined : maxConcurrency * defaultFill;
  const targetConcurrency = replicas.targetConcurrency ?? byLimit ?? defaultScale.targetConcurrency;
  return { replicas: replicas.min, scale: { ...replicas, targetConcurrency } };
}

/** Instances of one built-in server offer the same, whatever their settings. */
function listingKeyOf(name: string, launch: Launch, builtIns: readonly BuiltIn[]): string {
  if (launch.kind === 'in-process') {
    const builtIn = builtIns.find(({ module }) => module === launch.module);
    if (builtIn) return builtInListingKey(builtIn);
  }
  const identity = launch.kind === 'stdio' ? [launch.command, launch.args] : launch;
  const digest = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  return `${launch.kind}:${name}:${digest}`;
}

/** The instance of one entry. Its stored listing is void as soon as what is launched changes. */
export function specFromEntry(
  name: string,
  entry: ServerEntry,
  source: ServerSource,
  ports: PortLedger,
  builtIns: readonly BuiltIn[],
  health: HealthOptions = defaultHealth,
): InstanceSpec {
  const category = entry.category ?? customCategory;
  const launch = launchOf(name, entry, builtIns);
  const port = ports.take(category, entry.port);
  if (port === undefined)
    throw new AppError('INVALID_INPUT', {
      field: `mcpServers.${name}.category`,
      problem: `${category} has no free port`,
    });
  // Connections with credentials of their own are nobody else's.
  const isolation = entry.isolation ?? entry.auth?.whose ?? 'shared';
  const isIsolated = isolation !== 'shared';
  return {
    id: idOf(name),
    name,
    alias: aliasOf(name),
    title: entry.title ?? name,
    category,
    port,
    ...replicasOf(entry),
    // What it offers is asked of a connection that nobody else uses, and that may sleep.
    lazy: entry.lazy ?? (isIsolated || needsUser(entry.auth)),
    source,
    launch,
    listingKey: listingKeyOf(name, launch, builtIns),
    ...(entry.timeoutMs !== undefined && { timeoutMs: entry.timeoutMs }),
    ...(isIsolated && { isolation }),
    ...(entry.auth && { auth: entry.auth }),
    ...(entry.maxConnections !== undefined && { maxConnections: entry.maxConnections }),
    ...(entry.pin !== undefined && { pin: entry.pin }),
    ...(entry.tags !== undefined && { tags: entry.tags }),
    ...poolOptionsOf(entry, health),
  };
}
