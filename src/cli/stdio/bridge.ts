/**
 * Carries messages of a stdio client to the endpoint and back, in both eras. Messages pass untouched; only
 * what HTTP needs is added: headers, the session of the legacy era, and an error when no answer comes.
 */

import { AppError, messageOf } from '../../kernel/errors.ts';
import {
  isJsonObject,
  isNotification,
  isRequest,
  type RequestId,
  type RpcRequest,
  rpcCodes,
  toRpcError,
} from '../../kernel/json-rpc.ts';
import type { HttpLink } from './http-link.ts';
import { createLegacySession } from './legacy-session.ts';
import { createHeaderMemory, modernVersionOf } from './modern-headers.ts';
import { readAnswer } from './read-answer.ts';

/** The way between one stdio client and the endpoint. */
export interface Bridge extends AsyncDisposable {
  /** Takes one message of the client; resolves when the next one may be taken. */
  take(message: unknown): Promise<void>;
  /** Resolves when every request that ends by itself is answered. */
  settled(): Promise<void>;
}

interface InFlight {
  readonly controller: AbortController;
  readonly done: Promise<void>;
  readonly isModern: boolean;
  /** A listen stream has no end of its own. */
  readonly isEndless: boolean;
}

function isHeaderMismatch(message: unknown): boolean {
  return (
    isJsonObject(message) &&
    isJsonObject(message['error']) &&
    message['error']['code'] === rpcCodes.headerMismatch
  );
}

function answersTo(message: unknown, id: RequestId): boolean {
  return isJsonObject(message) && message['id'] === id && ('result' in message || 'error' in message);
}

/** `emit` writes one message to the client. */
export function createBridge(link: HttpLink, emit: (message: unknown) => void): Bridge {
  const closing = new AbortController();
  const session = createLegacySession(link, emit, closing.signal);
  const memory = createHeaderMemory();
  const inFlight = new Map<RequestId, InFlight>();

  function fail(id: RequestId, error: unknown): void {
    const known =
      error instanceof AppError
        ? error
        : new AppError('UPSTREAM_FAILED', { server: link.url, problem: messageOf(error) });
    emit({ jsonrpc: '2.0', id, error: toRpcError(known) });
  }

  /** Hands on what an HTTP answer holds; an error that names no request belongs to this one. Throws when the answer is missing. */
  async function deliver(
    request: RpcRequest,
    response: Response,
    onResult: (result: unknown) => void,
  ): Promise<void> {
    let isAnswered = false;
    for await (const message of readAnswer(response)) {
      const own =
        isJsonObject(message) && message['id'] === null && 'error' in message
          ? { ...message, id: request.id }
          : message;
      if (answersTo(own, request.id)) {
        isAnswered = true;
        if (isJsonObject(own)) onResult(own['result']);
      }
      emit(own);
    }
    if (!isAnswered) throw new Error(`HTTP ${response.status} ended without an answer`);
  }

  /** Learns the headers of all tools, for a client that calls without having listed through this bridge. */
  async function learnTools(like: RpcRequest, signal: AbortSignal): Promise<void> {
    let cursor: unknown;
    do {
      const params = { _meta: like.params?.['_meta'], ...(cursor !== undefined && { cursor }) };
      const request: RpcRequest = {
        jsonrpc: '2.0',
        id: `learn-${crypto.randomUUID()}`,
        method: 'tools/list',
        params,
      };
      cursor = undefined;
      for await (const message of readAnswer(
        await link.send('POST', memory.headersOf(request), request, signal),
      )) {
        const result =
          answersTo(message, request.id) && isJsonObject(message) ? message['result'] : undefined;
        memory.learn(result);
        if (isJsonObject(result)) cursor = result['nextCursor'];
      }
    } while (typeof cursor === 'string');
  }

  async function sendModern(request: RpcRequest, signal: AbortSignal): Promise<void> {
    const send = () => link.send('POST', memory.headersOf(request), request, signal);
    let response = await send();
    if (response.status === 400 && request.method === 'tools/call') {
      const refusal = (await readAnswer(response.clone()).next()).value;
      if (isHeaderMismatch(refusal)) {
        await learnTools(request, signal);
        response = await send();
      }
    }
    await deliver(request, response, (result) => {
      if (request.method === 'tools/list') memory.learn(result);
    });
  }

  async function sendLegacy(message: unknown, signal: AbortSignal): Promise<Response> {
    const used = await session.headers();
    const response = await link.send('POST', used, message, signal);
    if (response.status !== 404 || !session.isOpen) return response;
    await response.body?.cancel();
    await session.renew(used);
    return await link.send('POST', await session.headers(), message, signal);
  }

  async function requestLegacy(request: RpcRequest, signal: AbortSignal): Promise<void> {
    session.remember(request);
    const isInitialize = request.method === 'initialize';
    const response = isInitialize
      ? await link.send('POST', {}, request, signal)
      : await sendLegacy(request, signal);
    await deliver(request, response, (result) => {
      if (isInitialize) session.opened(response, result);
    });
  }

  /** A cancelled request has no answer in either era; any other failure is one. */
  async function settle(
    request: RpcRequest,
    sending: Promise<void>,
    { signal }: AbortController,
  ): Promise<void> {
    try {
      await sending;
    } catch (error) {
      if (!signal.aborted && !closing.signal.aborted) fail(request.id, error);
    } finally {
      if (inFlight.get(request.id)?.controller.signal === signal) inFlight.delete(request.id);
    }
  }

  function start(request: RpcRequest): Promise<void> {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, closing.signal]);
    const isModern = modernVersionOf(request) !== undefined || request.method === 'server/discover';
    const done = settle(
      request,
      isModern ? sendModern(request, signal) : requestLegacy(request, signal),
      controller,
    );
    inFlight.set(request.id, {
      controller,
      done,
      isModern,
      isEndless: request.method === 'subscriptions/listen',
    });
    return done;
  }

  /** Notifications, answers and batches of the legacy era. */
  async function pass(message: unknown): Promise<void> {
    try {
      const response = await sendLegacy(message, closing.signal);
      for await (const answer of readAnswer(response)) if (response.ok) emit(answer);
      if (isNotification(message) && message.method === 'notifications/initialized') session.listen();
    } catch {
      // There is nobody to tell: the message asked for no answer.
    }
  }

  return {
    async take(message) {
      if (isRequest(message)) {
        const done = start(message);
        // What follows needs the session that initialize opens.
        if (message.method === 'initialize') await done;
        return;
      }
      if (isNotification(message) && message.method === 'notifications/cancelled') {
        const found = inFlight.get(message.params?.['requestId'] as RequestId);
        if (found?.isModern === true) {
          found.controller.abort();
          return;
        }
      }
      if (isJsonObject(message) || Array.isArray(message)) {
        if (session.isOpen || Array.isArray(message)) await pass(message);
        return;
      }
      emit({
        jsonrpc: '2.0',
        id: null,
        error: { code: rpcCodes.invalidRequest, message: 'not a JSON-RPC 2.0 message' },
      });
    },
    async settled() {
      await Promise.all([...inFlight.values()].filter(({ isEndless }) => !isEndless).map(({ done }) => done));
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.all([...inFlight.values()].map(({ done }) => done));
      await session.close();
    },
  };
}
