/** A stream of the coordinator as an iterable: Server-Sent Events over HTTP (HTML Standard, 9.2). */

import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { problemShape } from '../contract/rest/routes.ts';
import { AppError } from '../kernel/errors.ts';
import { type CoordinatorAccess, keyHeaders } from './find-coordinator.ts';
import { ProblemError } from './print-error.ts';
import { connectionFailure } from './trust.ts';

/** One event that has data. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  /** JSON text. */
  readonly data: string;
}

/** The coordinator sends a sign of life every ten seconds. */
const silenceMs = 60_000;
const maxEventLength = 1024 * 1024;

/**
 * Events of a path of the REST API until the stream ends or `signal` aborts. Throws COORDINATOR_NOT_RUNNING,
 * UPSTREAM_PROTOCOL or the coordinator's own answer.
 */
export async function* readEvents(
  base: URL,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  access: CoordinatorAccess = {},
): AsyncGenerator<StreamEvent> {
  const name = `${base.protocol}//${base.host}`;
  const response = await open(base, path, query, signal, access);
  if (response.statusCode !== 200) throw await toFailure(response, name);
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > maxEventLength) throw brokenStream(base, 'an event is too long');
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) yield* parseEvent(block);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof AppError ? error : gone(name, error);
  }
}

function* parseEvent(block: string): Generator<StreamEvent> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, field = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field !== '') fields.set(field, value);
  }
  const [data, event] = [fields.get('data'), fields.get('event')];
  if (data !== undefined && event !== undefined) yield { event, data, id: fields.get('id') ?? '' };
}

function open(
  base: URL,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  access: CoordinatorAccess,
): Promise<IncomingMessage> {
  const search = new URLSearchParams();
  for (const [field, value] of Object.entries(query)) if (value !== undefined) search.set(field, value);
  const target = `${base.pathname.replace(/\/$/, '')}${path}?${search.toString()}`;
  return new Promise((resolve, reject) => {
    const request = (base.protocol === 'https:' ? httpsRequest : httpRequest)(
      {
        hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: base.port,
        path: target,
        timeout: silenceMs,
        signal,
        headers: { accept: 'text/event-stream, application/problem+json', ...keyHeaders(access.key) },
        ...access.trust,
      },
      resolve,
    );
    request.on('timeout', () => request.destroy(new Error(`no sign of life for ${silenceMs} ms`)));
    request.on('error', (error) => reject(connectionFailure(`${base.protocol}//${base.host}`, error)));
    request.end();
  });
}

async function toFailure(response: IncomingMessage, name: string): Promise<Error> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  try {
    const problem = problemShape.safeParse(JSON.parse(text));
    if (problem.success) return new ProblemError(problem.data);
  } catch {
    // Not a coordinator's answer.
  }
  return new AppError('UPSTREAM_PROTOCOL', {
    server: `coordinator ${name}`,
    problem: `HTTP ${response.statusCode} without problem details`,
  });
}

/** An event is not what this version knows. */
export function brokenStream(base: URL, problem: string): AppError {
  return new AppError('UPSTREAM_PROTOCOL', { server: `coordinator ${base.protocol}//${base.host}`, problem });
}

function gone(name: string, cause: unknown): AppError {
  return new AppError('COORDINATOR_NOT_RUNNING', { url: name }, { cause });
}
