/** The coordinator's stream of changes as an iterable: Server-Sent Events over HTTP (HTML Standard, 9.2). */

import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { changeShape, type MemoryFeedChange } from '../../kernel/memory/change-operations.ts';
import { problemShape, routes } from '../../contract/rest/routes.ts';
import { AppError } from '../../kernel/errors.ts';
import { ProblemError } from '../print-error.ts';

/** What a coordinator says on its stream. */
export type ChangeEvent =
  | { readonly kind: 'change'; readonly change: MemoryFeedChange }
  /** The beginning: changes from this position on follow. */
  | { readonly kind: 'ready'; readonly next: string }
  /** Changes before this position are not kept any more. */
  | { readonly kind: 'reset'; readonly next: string };

export interface ChangeWish {
  readonly since?: string | undefined;
  readonly scope?: string | undefined;
  readonly prefix?: string | undefined;
}

/** The coordinator sends a sign of life every ten seconds. */
const silenceMs = 60_000;
const maxEventLength = 1024 * 1024;

/**
 * Events until the stream ends or `signal` aborts. Throws COORDINATOR_NOT_RUNNING, UPSTREAM_PROTOCOL or the
 * coordinator's own answer.
 */
export async function* readChanges(
  base: URL,
  wish: ChangeWish,
  signal: AbortSignal,
): AsyncGenerator<ChangeEvent> {
  const name = `${base.protocol}//${base.host}`;
  const response = await open(base, wish, signal, name);
  if (response.statusCode !== 200) throw await toFailure(response, name);
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > maxEventLength) throw broken(name, 'an event is too long');
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) yield* parseEvent(block, name);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof AppError ? error : gone(name, error);
  }
}

function open(base: URL, wish: ChangeWish, signal: AbortSignal, name: string): Promise<IncomingMessage> {
  const search = new URLSearchParams();
  for (const [field, value] of Object.entries(wish))
    if (value !== undefined) search.set(field, String(value));
  const path = `${base.pathname.replace(/\/$/, '')}${routes.memoryChanges.path}?${search.toString()}`;
  return new Promise((resolve, reject) => {
    const request = (base.protocol === 'https:' ? httpsRequest : httpRequest)(
      {
        hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: base.port,
        path,
        timeout: silenceMs,
        signal,
        headers: { accept: 'text/event-stream, application/problem+json' },
      },
      resolve,
    );
    request.on('timeout', () => request.destroy(new Error(`no sign of life for ${silenceMs} ms`)));
    request.on('error', (error) => reject(gone(name, error)));
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
  return broken(name, `HTTP ${response.statusCode} without problem details`);
}

function* parseEvent(block: string, name: string): Generator<ChangeEvent> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, field = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field !== '') fields.set(field, value);
  }
  const data = fields.get('data');
  const event = fields.get('event');
  if (data === undefined || event === undefined) return;
  if (event === 'change') {
    const parsed = changeShape.safeParse(JSON.parse(data));
    if (!parsed.success) throw broken(name, 'a change is not as expected; is it another version?');
    yield { kind: 'change', change: parsed.data };
  } else if (event === 'ready' || event === 'reset') yield { kind: event, next: fields.get('id') ?? '' };
}

function broken(name: string, problem: string): AppError {
  return new AppError('UPSTREAM_PROTOCOL', { server: `coordinator ${name}`, problem });
}

function gone(name: string, cause: unknown): AppError {
  return new AppError('COORDINATOR_NOT_RUNNING', { url: name }, { cause });
}
