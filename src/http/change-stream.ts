/**
 * `GET /api/v1/memory-changes` as Server-Sent Events (HTML Standard, 9.2): the change feed from a position on,
 * for as long as the client listens. The feed itself is the buffer: nothing is read from it while the client
 * does not take what was sent.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { routes } from '../contract/rest/routes.ts';
import { AppError } from '../kernel/errors.ts';
import type { Authorizer } from '../kernel/authorizer.ts';
import type { Logger } from '../kernel/log.ts';
import type { MemoryCaller, MemoryClient } from '../kernel/memory/operations.ts';
import type { Access } from './access.ts';
import { type KeepAlive, streamHeaders } from './mcp/reply.ts';
import { permissionOf } from './needed-permission.ts';
import { toProblem } from './problem.ts';

/** The memory, as far as a stream of changes needs it. */
export interface ChangeSource extends MemoryClient {
  /** Hears of every change; the returned function ends that. */
  onChange(listener: (change: { readonly scope: string; readonly key: string }) => void): () => void;
}

/** Takes a request if it asks for the stream; false leaves it to others. */
export type TakeChangeStream = (request: IncomingMessage, response: ServerResponse) => boolean;

interface Filter {
  readonly scope?: string | undefined;
  readonly prefix?: string | undefined;
}

const pageSize = 200;

/** Beats of the keep-alive (some ten seconds each) after which a client that takes nothing is dropped. */
const maxStalledBeats = 6;

/** Serves the stream; the others of the path get `false`. */
export function createChangeStreams(parts: {
  readonly memory: ChangeSource;
  readonly access: Pick<Access, 'authorize' | 'principalOf' | 'addressOf'>;
  readonly authorizer?: Pick<Authorizer, 'memoryFor'> | undefined;
  readonly keepAlive: KeepAlive;
  readonly logger: Logger;
  readonly nextRequestId: () => string;
}): TakeChangeStream {
  const { memory, access, authorizer, keepAlive, logger, nextRequestId } = parts;

  async function open(request: IncomingMessage, response: ServerResponse, search: string): Promise<void> {
    access.authorize(request, permissionOf(routes.memoryChanges));
    const { since, ...filter } = parseQuery(request, search);
    const caller: MemoryCaller = { actor: 'rest', agent: 'rest', requestId: nextRequestId() };
    const own =
      authorizer?.memoryFor(access.principalOf(request), memory, access.addressOf(request)) ?? memory;
    const first = since ?? (await own.call('changes', {}, caller)).next;
    if (response.destroyed) return;
    const stream = createStream(response, { memory: own, caller, filter, first, logger });
    response.on(
      'close',
      memory.onChange((change) => stream.changed(change)),
    );
    keepAlive.add(stream);
    response.on('close', () => keepAlive.remove(stream));
    response.on(
      'close',
      keepAlive.addEndless(() => response.end()),
    );
    stream.start();
  }

  return (request, response) => {
    const [path, search = ''] = (request.url ?? '').split(/\?(.*)/s);
    const isStream = /\btext\/event-stream\b/i.test(request.headers.accept ?? '');
    if (request.method !== 'GET' || path !== routes.memoryChanges.path || !isStream) return false;
    open(request, response, search).catch((error: unknown) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const problem = toProblem(error, logger);
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify(problem));
    });
    return true;
  };
}

/** A client that connects again says where it was in `Last-Event-ID`, which is newer than its URL. */
function parseQuery({ headers }: IncomingMessage, search: string) {
  const lastId = headers['last-event-id'];
  const query: Record<string, unknown> = Object.fromEntries(new URLSearchParams(search));
  if (typeof lastId === 'string' && lastId !== '') query['since'] = lastId;
  const parsed = routes.memoryChanges.query.omit({ limit: true }).safeParse(query);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = ['query', ...(issue?.path ?? [])].join('.');
  throw new AppError('INVALID_INPUT', { field, problem: issue?.message ?? 'is invalid' });
}

function createStream(
  response: ServerResponse,
  parts: {
    readonly memory: MemoryClient;
    readonly caller: MemoryCaller;
    readonly filter: Filter;
    readonly first: string;
    readonly logger: Logger;
  },
) {
  const { memory, caller, filter, logger } = parts;
  const prefix = filter.prefix?.normalize('NFC') ?? '';
  let position = parts.first;
  let isReading = false;
  let isBehind = false;
  let stalledBeats = 0;

  function send(event: string, id: string, data: unknown): void {
    response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Sends all that is there, a page at a time, and stops where the client does not follow. */
  async function read(): Promise<void> {
    do {
      isBehind = false;
      if (response.writableNeedDrain) return;
      const page = await memory.call('changes', { ...filter, since: position, limit: pageSize }, caller);
      if (response.writableEnded || response.destroyed) return;
      if (page.reset) send('reset', page.next, { next: page.next });
      for (const change of page.changes) send('change', change.position, change);
      position = page.next;
      isBehind ||= page.more;
    } while (isBehind);
  }

  function wake(): void {
    isBehind = true;
    if (isReading || response.writableEnded || response.destroyed) return;
    isReading = true;
    read()
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'a stream of memory changes broke off');
        response.destroy();
      })
      .finally(() => {
        isReading = false;
        if (isBehind && !response.writableNeedDrain) wake();
      });
  }

  return {
    start(): void {
      response.writeHead(200, streamHeaders);
      // The client has a position from the first moment on, also when nothing changes.
      send('ready', position, { next: position });
      response.on('drain', () => {
        stalledBeats = 0;
        wake();
      });
      wake();
    },
    changed({ scope, key }: { readonly scope: string; readonly key: string }): void {
      if (filter.scope !== undefined && scope !== filter.scope) return;
      if (key.startsWith(prefix)) wake();
    },
    /** An id without data moves the client's position on past what its filter leaves out. */
    place: -1,
    beat(): void {
      if (response.writableEnded || response.destroyed) return;
      if (response.writableNeedDrain) {
        stalledBeats += 1;
        if (stalledBeats >= maxStalledBeats) response.destroy();
        return;
      }
      response.write(isReading ? ': waiting\n\n' : `: waiting\nid: ${position}\n\n`);
      wake();
    },
  };
}
