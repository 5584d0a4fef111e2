/** The servers of a chaos run, and the config file that names them. */

import { fileURLToPath } from 'node:url';

export interface FleetSize {
  readonly builtIn: number;
  readonly stdio: number;
  readonly http: number;
}

/** What dies together: a process, or the host threads. */
export interface ChaosServer {
  readonly id: string;
  readonly kind: 'built-in' | 'stdio' | 'http';
  readonly unit: string;
  readonly replicas: number;
  /** Comes and goes with the config. */
  readonly isGuest: boolean;
}

export interface Fleet {
  readonly servers: readonly ChaosServer[];
  /** Processes of HTTP servers, each with the servers in it. */
  readonly httpUnits: readonly { readonly unit: string; readonly args: readonly string[] }[];
  /** `mcpServers` with those present; a server with another epoch is another server to the coordinator. */
  entries(present: (server: ChaosServer) => boolean, epoch: (id: string) => number): Record<string, unknown>;
}

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/chaos/${name}.ts`, import.meta.url));
export const pluginPath = fixture('plugin');
export const httpServerPath = fixture('http-server');

const perHttpProcess = 4;
const idOf = (prefix: string, n: number) => `${prefix}${String(n).padStart(3, '0')}`;
/** One in so many comes and goes. */
const guestEvery = 8;

/** The fleet; `portOf` says where an HTTP unit listens, `controlPort` where servers take orders. */
export function createFleet(size: FleetSize, controlPort: number, portOf: (unit: string) => number): Fleet {
  const of = (kind: ChaosServer['kind'], prefix: string, count: number, unitOf: (n: number) => string) =>
    Array.from({ length: count }, (_, n): ChaosServer => {
      const isGuest = n % guestEvery === guestEvery - 1;
      const replicas = kind === 'stdio' && n % 8 === 0 ? 2 : 1;
      return { id: idOf(prefix, n), kind, unit: unitOf(n), replicas, isGuest };
    });
  const servers = [
    ...of('built-in', 'b', size.builtIn, () => 'host'),
    ...of('stdio', 's', size.stdio, (n) => idOf('s', n)),
    ...of('http', 'h', size.http, (n) => `http-${Math.floor(n / perHttpProcess)}`),
  ];
  const eraOf = (id: string) => (Number(id.slice(1)) % 2 === 0 ? 'legacy' : 'modern');
  const units = new Set(servers.filter(({ kind }) => kind === 'http').map(({ unit }) => unit));

  function entryOf({ id, kind, unit, replicas }: ChaosServer, epoch: number): Record<string, unknown> {
    if (kind === 'built-in') return { builtin: 'chaos', settings: { control: controlPort, epoch } };
    if (kind === 'http') return { url: `http://127.0.0.1:${portOf(unit)}/${id}`, headers: { epoch } };
    const manner = Number(id.slice(1)) % 4 === 3 ? ['stubborn'] : [];
    const args = [fixture('stdio-server'), id, controlPort, eraOf(id), ...manner];
    return { command: process.execPath, args, replicas, env: { EPOCH: epoch } };
  }

  return {
    servers,
    httpUnits: [...units].map((unit) => {
      const own = servers.filter((server) => server.unit === unit);
      return { unit, args: own.map(({ id }) => `${id}=${eraOf(id)}`) };
    }),
    entries: (present, epoch) =>
      Object.fromEntries(
        servers.filter(present).map((server) => [server.id, entryOf(server, epoch(server.id))]),
      ),
  };
}
