/**
 * `GET /api/v1/servers/:id/logs` as Server-Sent Events (HTML Standard, 9.2): what a server writes to standard error, from a
 * position on, for as long as the client listens. The ring of lines is the buffer: nothing is read from it while the client
 * does not take what was sent, and a client that is too slow is told that lines are gone.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { routes } from '../contract/rest/routes.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Instance } from '../pool/instance.ts';
import type { LogPage } from '../pool/log-ring.ts';
import type { Pool } from '../pool/pool.ts';
import type { Access } from './access.ts';
import { type KeepAlive, streamHeaders } from './mcp/reply.ts';
import { permissionOf } from './needed-permission.ts';
import { toProblem } from './problem.ts';
import { findServer, readLogs } from './routes/servers.ts';

/** Takes a request if it asks for the stream; false leaves it to others. */
export type TakeLogStream = (request: IncomingMessage, response: ServerResponse) => boolean;

const logsPath = new RegExp(`^${routes.serversLogs.path.replace(':id', '([^/]+)')}$`);
const pageSize = 200;
/** Beats of the keep-alive (some ten seconds each) after which a client that takes nothing is dropped. */
const maxStalledBeats = 6;

/** Serves the stream; the others of the path get `false`. */
export function createLogStreams(parts: {
  readonly pool: Pool;
  readonly access: Pick<Access, 'authorize'>;
  readonly keepAlive: KeepAlive;
  readonly logger: Logger;
}): TakeLogStream {
  const { pool, access, keepAlive, logger } = parts;

  function open(id: string, search: string, request: IncomingMessage, response: ServerResponse): void {
    const category = pool.get(id)?.spec.category ?? '';
    access.authorize(request, permissionOf(routes.serversLogs), { id, category });
    const query = parseQuery(request, search);
    const instance = findServer(pool, id);
    const stream = createStream(instance, readLogs(instance.logs, query), response);
    const offLines = instance.logs.onLine(() => stream.wake());
    // What takes its place writes to another ring: the client connects again and reads that one.
    const offPool = pool.events.on((event) => {
      const isOver = event.kind === 'replaced' ? event.former : event.kind === 'removed' && event.instance;
      if (isOver === instance) response.end();
    });
    keepAlive.add(stream);
    const offDrain = keepAlive.addEndless(() => response.end());
    response.on('close', () => {
      offLines();
      offPool();
      keepAlive.remove(stream);
      offDrain();
    });
    stream.start();
  }

  return (request, response) => {
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s);
    const isStream = /\btext\/event-stream\b/i.test(request.headers.accept ?? '');
    const id = logsPath.exec(path)?.[1];
    if (request.method !== 'GET' || !isStream || id === undefined) return false;
    try {
      open(decodeId(id), search, request, response);
    } catch (error) {
      const problem = toProblem(error, logger);
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify(problem));
    }
    return true;
  };
}

function decodeId(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    throw new AppError('INVALID_INPUT', { field: 'id', problem: 'is not a valid part of a path' });
  }
}

/** A client that connects again says where it was in `Last-Event-ID`, which is newer than its URL. */
function parseQuery({ headers }: IncomingMessage, search: string) {
  const lastId = headers['last-event-id'];
  const query: Record<string, unknown> = Object.fromEntries(new URLSearchParams(search));
  if (typeof lastId === 'string' && lastId !== '') query['since'] = lastId;
  const parsed = routes.serversLogs.query.safeParse(query);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = ['query', ...(issue?.path ?? [])].join('.');
  throw new AppError('INVALID_INPUT', { field, problem: issue?.message ?? 'is invalid' });
}

function createStream({ logs }: Instance, first: LogPage, response: ServerResponse) {
  let position = first.next;
  let stalledBeats = 0;

  function send(event: string, id: string, data: unknown): void {
    response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  function sendPage({ lines, next, reset }: LogPage): void {
    if (reset) send('reset', lines[0]?.position ?? next, {});
    for (const line of lines) send('line', line.position, line);
    position = next;
  }

  function wake(): void {
    while (!response.writableEnded && !response.destroyed && !response.writableNeedDrain) {
      const page = logs.read(position, pageSize);
      if (page.lines.length === 0 && !page.reset) return;
      sendPage(page);
    }
  }

  return {
    place: -1,
    wake,
    start(): void {
      response.writeHead(200, streamHeaders);
      sendPage(first);
      send('ready', position, { next: position });
      response.on('drain', () => {
        stalledBeats = 0;
        wake();
      });
      wake();
    },
    beat(): void {
      if (response.writableEnded || response.destroyed) return;
      if (!response.writableNeedDrain) return void response.write(': waiting\n\n');
      stalledBeats += 1;
      if (stalledBeats >= maxStalledBeats) response.destroy();
    },
  };
}
