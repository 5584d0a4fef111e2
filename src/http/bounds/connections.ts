/**
 * The open connections of all listeners: how many there may be, how many of one address, how many requests of one
 * may wait, and how slowly a body may come.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { networkOf } from '../../kernel/ip-address.ts';
import type { Logger } from '../../kernel/log.ts';
import { plainAddress } from '../forwarded.ts';
import { isLoopback } from '../guards.ts';
import { toProblem } from '../problem.ts';

export interface ConnectionBounds {
  readonly max: number;
  readonly maxPerAddress: number;
  readonly minBodyBytesPerSecond: number;
  readonly pipelinedRequests: number;
  /** 0 for any number. */
  readonly requestsPerConnection: number;
}

export interface Connections extends Disposable {
  /** From now on each connection of the server counts; one too many is told so and closed. */
  bound(server: Server | HttpsServer): void;
  /** Counts a request as waiting for its answer. False when its connection has too many: it is over then. */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /** Now. */
  readonly open: number;
}

export interface ConnectionsOptions {
  readonly bounds: ConnectionBounds;
  /** True for addresses that speak for many clients. */
  readonly isTrustedProxy: (address: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onRefused?: ((code: string) => void) | undefined;
}

/** What is known of a connection that has had a request. */
interface Usage {
  requests: number;
  waiting: number;
  /** Of the newest request, which is the only one whose body can still come. */
  response: ServerResponse;
  /** Read when it was last looked at; -1 before the first look at this request. */
  bytesRead: number;
}

/** How often the pace of bodies is looked at, milliseconds. */
export const paceMs = 10_000;
const closingMs = 1000;

export function createConnections(options: ConnectionsOptions): Connections {
  const { bounds, clock, logger, onRefused } = options;
  const usages = new Map<Socket, Usage>();
  const perNetwork = new Map<string, number>();
  let open = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  function networkToCount(remoteAddress: string): string | undefined {
    const address = plainAddress(remoteAddress);
    return isLoopback(address) || options.isTrustedProxy(address) ? undefined : networkOf(address);
  }

  function leave(network: string | undefined): void {
    open -= 1;
    if (network === undefined) return;
    const left = (perNetwork.get(network) ?? 1) - 1;
    if (left > 0) perNetwork.set(network, left);
    else perNetwork.delete(network);
  }

  /** Why a connection is one too many; undefined when it is not. */
  function surplus(network: string | undefined): string | undefined {
    if (open >= bounds.max) return `there are ${bounds.max} connections already`;
    const count = network === undefined ? 0 : (perNetwork.get(network) ?? 0);
    return count >= bounds.maxPerAddress
      ? `there are ${bounds.maxPerAddress} connections of your address already`
      : undefined;
  }

  function refuse(socket: Socket, problem: string, canAnswer: boolean): void {
    onRefused?.('OVERLOADED');
    // One line a minute: a flood must not become one of the log.
    if (clock.elapsed() - toldAtMs > 60_000) {
      toldAtMs = clock.elapsed();
      logger.warn({ problem, address: socket.remoteAddress }, 'refused a connection');
    }
    socket.on('error', () => {});
    if (!canAnswer) {
      socket.destroy();
      return;
    }
    socket.end(refusalText(problem, logger));
    // What it has sent is taken off the line: else the answer would be lost with it. Not for long.
    socket.resume();
    const cancel = clock.after(closingMs, () => socket.destroy());
    socket.once('close', cancel);
  }

  function giveUp(socket: Socket, response: ServerResponse): void {
    onRefused?.('BODY_TOO_SLOW');
    logger.debug({ address: socket.remoteAddress }, 'gave up a body that came too slowly');
    if (response.headersSent) {
      socket.destroy();
      return;
    }
    const error = new AppError('BODY_TOO_SLOW', { leastBytesPerSecond: bounds.minBodyBytesPerSecond });
    response.once('finish', () => socket.destroy());
    response
      .writeHead(408, { 'content-type': 'application/problem+json', connection: 'close' })
      .end(JSON.stringify(toProblem(error, logger)));
  }

  /** Bodies that came too slowly since the last look, though there was room for more. */
  function checkPace(): void {
    const leastBytes = (bounds.minBodyBytesPerSecond * paceMs) / 1000;
    for (const [socket, usage] of usages) {
      const { req: request } = usage.response;
      if (request.complete) continue;
      const before = usage.bytesRead;
      usage.bytesRead = socket.bytesRead;
      const isOurFault = request.readableLength > 0 || request.isPaused();
      if (before >= 0 && !isOurFault && socket.bytesRead - before < leastBytes)
        giveUp(socket, usage.response);
    }
  }

  let cancelPace = () => {};
  function paceOn(): void {
    cancelPace = clock.after(paceMs, () => {
      checkPace();
      paceOn();
    });
  }
  if (bounds.minBodyBytesPerSecond > 0) paceOn();

  return {
    bound(server) {
      // Node.js closes what is one too many without a word, and knows nothing of addresses.
      const accepts = server.listeners('connection') as ((socket: Socket) => void)[];
      const isTls = 'setSecureContext' in server;
      server.removeAllListeners('connection');
      server.on('connection', (socket: Socket) => {
        const network = networkToCount(socket.remoteAddress ?? '');
        const problem = surplus(network);
        if (problem !== undefined) {
          refuse(socket, problem, !isTls);
          return;
        }
        open += 1;
        if (network !== undefined) perNetwork.set(network, (perNetwork.get(network) ?? 0) + 1);
        socket.once('close', () => leave(network));
        for (const accept of accepts) accept.call(server, socket);
      });
    },
    begin(request, response) {
      const { socket } = request;
      const usage = usages.get(socket) ?? { requests: 0, waiting: 0, response, bytesRead: -1 };
      if (usage.requests === 0) {
        usages.set(socket, usage);
        socket.once('close', () => usages.delete(socket));
      }
      usage.requests += 1;
      usage.response = response;
      usage.bytesRead = -1;
      usage.waiting += 1;
      if (usage.waiting > bounds.pipelinedRequests) {
        onRefused?.('OVERLOADED');
        socket.destroy();
        return false;
      }
      // Node.js has such a bound too, but leaves it to the client to close.
      if (usage.requests === bounds.requestsPerConnection) response.shouldKeepAlive = false;
      response.once('close', () => (usage.waiting -= 1));
      return true;
    },
    get open() {
      return open;
    },
    [Symbol.dispose]() {
      cancelPace();
    },
  };
}

/** What is sent where there is no response to write to. */
function refusalText(problem: string, logger: Logger): string {
  const body = JSON.stringify({
    ...toProblem(new AppError('OVERLOADED', { problem }), logger),
    status: 503,
  });
  return [
    'HTTP/1.1 503 Service Unavailable',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Retry-After: 5',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
