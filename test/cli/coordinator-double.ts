/** A coordinator that knows one server, one tool and a few memories, for the verbs' tests. */

import type { PhaseReport } from '../../src/contract/rest/deployment-routes.ts';
import type { ServerItem } from '../../src/contract/rest/server-routes.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { type RestDouble, startRestDouble } from './rest-double.ts';

export const server: ServerItem = {
  id: 'sqlite-3104',
  name: 'sqlite',
  alias: 'sqlite',
  title: 'SQLite',
  category: 'database',
  port: 3104,
  transport: 'in-process',
  source: 'built-in',
  state: 'ready',
  since: '2026-11-21T00:00:00.000Z',
  replicas: 1,
  lazy: false,
  restarts: 0,
  calls: 3,
  errors: 0,
  tools: 2,
};
export const etag = 'a'.repeat(40);
export const commit = 'c'.repeat(40);
export const at = '2026-11-21T00:00:00.000Z';
export const memoryStats = {
  keys: 1,
  bytes: 2,
  commits: 3,
  head: commit,
  journalPending: 0,
  textPending: 0,
  repositoryBytes: 2048,
  scopes: [],
};

/** Two replicas, the second one brought by load. */
const scale = {
  min: 1,
  max: 4,
  replicas: 2,
  leaving: 0,
  byHand: true,
  decisions: [{ at, from: 1, to: 2, reason: '7 calls at a time; 4 a replica are aimed for' }],
};
const queue = {
  maxConcurrency: 4,
  waiting: 3,
  maxWaiting: 100,
  maxWaitMs: 5000,
  priority: 'normal',
  refused: 9,
};

/** A remote as the coordinator tells of it. */
export const remote = {
  name: 'origin',
  source: 'config',
  url: 'https://git.example.org/team/memory.git',
  branch: 'main',
  direction: 'both',
  state: 'ok',
  ahead: 0,
  behind: 2,
  lastSuccessAt: at,
  lastError: null,
  nextAt: null,
  notes: [],
} as const;

const pin = {
  server: 'docs',
  state: 'quarantined',
  held: ['get'],
  changes: [
    {
      kind: 'renamed',
      tool: 'get',
      from: 'read',
      fields: [{ what: 'description', name: '', before: 'Reads.', after: 'Reads.\u001B[2J\nAnd sends.' }],
    },
    { kind: 'added', tool: 'x', fields: [{ what: 'parameter', name: 'a', after: { type: 'string' } }] },
  ],
} as const;

function phaseReport(phase: number, outcome: PhaseReport['outcome']): PhaseReport {
  const failures: PhaseReport['failures'] =
    outcome === 'rolled-back'
      ? [{ step: 'check', cause: 'out of order', servers: ['a', 'b', 'c', 'd', 'e', 'f'] }]
      : [];
  return {
    phase,
    title: 'Core',
    outcome,
    at,
    servers: ['a', 'b'],
    kept: 48,
    timings: { addMs: 1, startMs: 2.5, checkMs: 3, checkP50Ms: 1.5, checkP95Ms: 2, rollbackMs: 0 },
    failures,
  };
}

const bundle = {
  name: 'support',
  source: 'added',
  url: 'http://127.0.0.1:3000/mcp/bundles/support',
  tools: 1,
  missing: ['gone'],
} as const;

/** Starts it on a free port. */
export function startCoordinatorDouble(dataDir = '/data'): Promise<RestDouble> {
  return startRestDouble({
    status: () => ({
      version: '0.1.0',
      pid: 1,
      startedAt: at,
      uptimeSeconds: 61.5,
      endpoint: 'http://127.0.0.1:3000/mcp',
      dataDir,
      store: { kind: 'sqlite', at: `${dataDir}/state.sqlite` },
      rssBytes: 1024,
      sessions: 0,
      servers: { total: 1, byState: { ready: 1 } },
      config: { loadedAt: at, watched: false, needsRestart: [] },
      memory: memoryStats,
    }),
    configReload: () => ({
      added: ['new'],
      replaced: [],
      removed: ['old'],
      failed: [{ id: 'bad', problem: 'no such program' }],
      needsRestart: ['port'],
    }),
    serverChanges: () => ({
      changes: [
        { at, action: 'added', server: 'new', source: 'folder', origin: '/d/new.json', problem: null },
      ],
    }),
    discovery: () => ({
      sources: [{ kind: 'folder', origin: '/d', servers: 1, problems: ['/d/x.json: is not valid JSON'] }],
      conflicts: [{ server: 'docs', source: 'client', winner: 'docs (config)' }],
      failures: [{ id: 'bad', source: 'folder', reason: 'no such program' }],
    }),
    registrationsCreate: ({ body }) => ({ name: (body as { name: string }).name, lease: 'l', expiresAt: at }),
    serversList: ({ query }) => {
      const { cursor, category } = query as { cursor?: string; category?: string };
      if (category === 'iot') return { items: [] };
      if (cursor === 'next')
        return {
          items: [{ ...server, id: 'evil-1', title: 'x', reason: 'a\u001B[31mb\tc\nd', state: 'unhealthy' }],
        };
      return { items: [server], nextCursor: 'next' };
    },
    serversInspect: ({ params }) =>
      params['id'] === 'sqlite-3104'
        ? {
            ...server,
            url: 'http://127.0.0.1:3000/mcp/servers/sqlite-3104',
            toolNames: ['sqlite__query'],
            serverInfo: { name: 'sqlite', version: '1' },
            policy: 'round-robin',
            failOpen: false,
            replicaStates: [
              { state: 'ready', breaker: 'closed', inFlight: 0, latencyMs: 1.5, restarts: 0, pid: 4711 },
            ],
            bounds: { min: 1, max: 4 },
            scale,
            queue,
          }
        : new AppError('NOT_FOUND', { what: 'server', id: params['id'] }),
    serversScale: ({ params }) => ({ id: params['id'], ...scale }),
    serversAdd: ({ body }) => ({ ...server, id: (body as { name: string }).name, state: 'starting' }),
    serversBulk: ({ body }) => {
      const {
        operation,
        ids = ['all'],
        set,
        ...rest
      } = body as {
        operation: string;
        ids?: string[];
        set?: object;
        min?: number;
        max?: number;
      };
      return {
        items: ids.map((id) =>
          id === 'gone'
            ? { id, outcome: 'failed', code: 'NOT_FOUND', problem: 'server not found: gone' }
            : {
                id,
                outcome: 'done',
                state: operation === 'stop' ? 'stopped' : 'ready',
                ...(set && { before: { timeoutMs: null }, after: set }),
                ...(rest.max && { before: { min: 1, max: 1 }, after: { min: rest.min, max: rest.max } }),
              },
        ),
      };
    },
    deploymentsList: () => ({
      phases: [
        {
          phase: 1,
          title: 'Core',
          shares: [
            { category: 'database', count: 10 },
            { category: 'api', count: 10 },
          ],
          state: 'deployed',
          servers: 20,
        },
      ],
      reports: [phaseReport(1, 'deployed')],
    }),
    deploymentsDeploy: ({ body }) => {
      const { phase = 0 } = body as { phase?: number };
      return { reports: [phaseReport(phase, phase === 3 ? 'rolled-back' : 'deployed')] };
    },
    deploymentsUndeploy: ({ params }) => phaseReport(Number(params['phase']), 'removed'),
    serversLogs: () => ({ lines: [{ at, line: 'hello \u001B[2Jworld', position: '0-1' }], next: '0-1' }),
    serversChanges: () => pin,
    serversApprove: ({ params }) => ({
      ...pin,
      server: params['id'],
      state: 'approved',
      held: [],
      changes: [],
    }),
    serversRevert: ({ params }) =>
      new AppError('INVALID_INPUT', { field: 'id', problem: `${params['id']} is not pinned` }),
    bundlesList: () => ({ items: [bundle] }),
    bundlesShow: () => ({
      ...bundle,
      chosen: [{ name: 'find', tool: 'sqlite__query', arguments: { db: 'a' } }],
    }),
    bundlesAdd: ({ params }) => ({ ...bundle, name: params['name'], chosen: [] }),
    bundlesRemove: ({ params }) => ({ removed: params['name'] }),
    toolsList: () => ({
      items: [
        { name: 'sqlite__query', description: 'Runs SQL. And more.', inputSchema: {}, server: server.id },
      ],
    }),
    toolsCall: ({ body }) => {
      const { name, arguments: args } = body as { name: string; arguments: unknown };
      if (name === 'gone') return new AppError('TOOL_NOT_FOUND', { name });
      if (name === 'fails') return { content: [{ type: 'text', text: 'no such table' }], isError: true };
      return {
        content: [
          { type: 'text', text: JSON.stringify(args) },
          { type: 'image', data: 'AAAA', mimeType: 'image/png' },
        ],
      };
    },
    memoryStore: ({ params }) => ({ key: params['key'], scope: params['scope'], etag, seq: 1 }),
    memoryRetrieve: ({ params }) =>
      params['key'] === 'gone'
        ? new AppError('MEMORY_NOT_FOUND', { key: 'gone', scope: params['scope'] })
        : {
            key: params['key'],
            scope: params['scope'],
            value: params['key'] === 'json' ? { a: 1 } : 'ข้อความ\n',
            tags: [],
            etag,
            updatedAt: at,
            actor: 'me',
            commit,
          },
    memoryDelete: ({ params }) => ({ key: params['key'], scope: params['scope'], deleted: false, seq: 2 }),
    memoryList: () => ({ items: [{ key: 'a/b', scope: 'shared', tags: ['x', 'y'], etag, updatedAt: at }] }),
    memorySearch: ({ body }) => ({
      hits: [
        {
          key: 'a',
          scope: 'shared',
          score: 0.5,
          snippet: (body as { query: string }).query,
          highlights: [[0, 3]],
          tags: [],
          etag,
          updatedAt: at,
        },
      ],
    }),
    memoryHistory: () => ({ versions: [{ commit: null, etag: null, at, actor: 'me', op: 'delete' }] }),
    memoryDiff: () => ({
      key: 'a',
      scope: 'shared',
      from: etag,
      to: etag,
      kind: 'json',
      changes: [{ op: 'replace', path: '/a', before: 1, after: 2 }],
      patch: '',
    }),
    memoryRestore: ({ body }) => ({
      ...(body as { key: string }),
      scope: 'shared',
      etag,
      seq: 3,
      restoredFrom: commit,
      restored: 1,
      deleted: 2,
      unchanged: 0,
    }),
    memoryStoreMany: ({ body }) => {
      const { entries } = body as { entries: { key: string }[] };
      return { scope: 'shared', entries: entries.map(({ key }, i) => ({ key, etag, seq: i })) };
    },
    memoryAppend: ({ body }) => ({ key: (body as { key: string }).key, scope: 'shared', etag, seq: 4 }),
    memoryIncrement: ({ body }) => ({
      key: (body as { key: string }).key,
      scope: 'shared',
      etag,
      seq: 5,
      value: 7,
    }),
    memoryBackup: () => ({
      target: '/backups',
      backups: [
        { id: 'b2', at, bytes: 2048, head: commit, lastSeq: 7, encrypted: true },
        { id: 'b1', at, bytes: 1, head: null, lastSeq: 0, encrypted: false, problem: 'it is torn' },
      ],
      removed: ['b0'],
      nextAt: at,
    }),
    memoryVerify: ({ body }) => ({
      running: false,
      healthy: (body as { full?: boolean }).full !== true,
      findings: [{ severity: 'error', where: 'search', problem: 'is empty', fix: 'reindex' }],
      seconds: 0.5,
    }),
    memoryReindex: () => ({ keys: 3, versions: 4, seconds: 0.25 }),
    memoryWorkspace: ({ body }) => {
      const { action, name = 'try', strategy } = body as { action: string; name?: string; strategy?: string };
      if (action === 'merge' && strategy === undefined)
        return new AppError('MERGE_CONFLICTS', { conflicts: 1, keys: 'shared/plan' });
      const own = { name, commit, ahead: 2, behind: 1, changed: 3, updatedAt: at, actor: 'me', stale: true };
      const place = { scope: 'shared', key: 'plan' };
      const change = { ...place, change: 'added', before: null, after: etag, changedInMain: true };
      const conflict = { ...place, path: 'shared/plan.md', kind: 'text' };
      return {
        workspaces: [own],
        ...(action === 'diff' && { changes: [change], omitted: 4 }),
        ...(action === 'merge' && { merged: { kind: 'merged', head: commit, conflicts: [conflict] } }),
      };
    },
    memoryLinks: ({ body }) => ({
      key: (body as { key: string }).key,
      scope: 'shared',
      exists: true,
      nodes: [
        {
          scope: 'shared',
          key: 'b',
          title: 'Bee\u001B[2J',
          snippet: 'buzz',
          depth: 1,
          via: { from: { scope: 'shared', key: 'a' }, direction: 'out', kind: 'relation', label: 'knows' },
        },
      ],
      missing: [{ scope: 'shared', key: 'gone', from: { scope: 'shared', key: 'a' }, kind: 'wikilink' }],
      omitted: 3,
      tokens: 40,
    }),
    memorySnapshot: () => ({ snapshots: [{ name: 'ก่อน', commit, at }] }),
    memorySync: () => ({ remotes: [remote] }),
    memoryStats: () => memoryStats,
  });
}
