/** One connection to an HTTP/1.1 server, for one request at a time. */

import { connect as connectPlain, type LookupFunction, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { type ResponseHeaders, ResponseParser } from './response-parser.ts';

/** Where links lead. */
export interface Origin {
  readonly isSecure: boolean;
  /** Name or address, an IPv6 one without brackets. */
  readonly host: string;
  readonly port: number;
  readonly lookup?: LookupFunction | undefined;
}

/** Hears what becomes of a request; after `onEnd` or `onError` nothing more. */
export interface AnswerListener {
  /** The request is on its way: the server may have seen it. */
  onSent(): void;
  onHead(status: number, headers: ResponseHeaders): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
}

/** What its pool does when a link is free again, or gone. */
export interface LinkOwner {
  onFree(link: Link): void;
  onGone(link: Link): void;
}

const connectTimeoutMs = 10_000;
/** An idle link is given up some time before the server would, lest a request meets its end. */
const idleMs = 4000;
const maxIdleMs = 600_000;
const headStartMs = 2000;

/** A class, as it is asked for every request and every chunk. */
export class Link {
  /** By `performance.now()`; a free link is not to be used after it. */
  usableUntilMs = 0;
  private readonly socket: Socket;
  private readonly owner: LinkOwner;
  private readonly parser: ResponseParser;
  private readonly connectTimer: NodeJS.Timeout;
  private isConnected = false;
  private isGone = false;
  private listener: AnswerListener | undefined;
  /** Waits for the connection. */
  private request: string | undefined;
  private keepAliveMs = idleMs;

  constructor(origin: Origin, owner: LinkOwner) {
    this.owner = owner;
    this.parser = new ResponseParser({
      onHead: (status, headers) => {
        this.keepAliveMs = keepAliveOf(headers['keep-alive']);
        this.listener?.onHead(status, headers);
      },
      onData: (chunk) => this.listener?.onData(chunk),
      onEnd: (isReusable) => this.answered(isReusable),
    });
    const { host, port, isSecure, lookup } = origin;
    const where = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, lookup };
    this.socket = isSecure
      ? connectSecure({ ...where, ALPNProtocols: ['http/1.1'], ...(isName(host) && { servername: host }) })
      : connectPlain(where);
    this.connectTimer = setTimeout(() => {
      this.fail(new Error(`no connection within ${connectTimeoutMs / 1000} seconds`));
    }, connectTimeoutMs);
    this.socket.once(isSecure ? 'secureConnect' : 'connect', () => this.connected());
    this.socket.on('data', (chunk: Buffer) => this.received(chunk));
    this.socket.on('end', () => this.ended());
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => this.fail(new Error('the connection was closed')));
  }

  /** Sends a request, once the connection is there. The link must be free. */
  send(request: string, listener: AnswerListener): void {
    this.listener = listener;
    if (this.isConnected) this.write(request);
    else this.request = request;
  }

  /** Closes the connection; who waits for an answer is not told. */
  destroy(): void {
    this.listener = undefined;
    this.fail(new Error('aborted'));
  }

  private connected(): void {
    clearTimeout(this.connectTimer);
    this.isConnected = true;
    const { request } = this;
    this.request = undefined;
    if (request !== undefined) this.write(request);
  }

  private write(request: string): void {
    this.parser.expect();
    this.listener?.onSent();
    // Whoever heard that it is on its way may have given it up.
    if (!this.isGone) this.socket.write(request);
  }

  private received(chunk: Buffer): void {
    const problem = this.parser.push(chunk);
    if (problem !== undefined) this.fail(new Error(problem));
  }

  private ended(): void {
    const problem = this.parser.end();
    this.fail(new Error(problem ?? 'the connection was closed'));
  }

  private answered(isReusable: boolean): void {
    const { listener } = this;
    this.listener = undefined;
    // What is left of a request that was answered early would be read as the next one.
    if (isReusable && this.socket.writableLength === 0 && !this.isGone) {
      this.usableUntilMs = performance.now() + this.keepAliveMs;
      this.owner.onFree(this);
    } else this.destroy();
    listener?.onEnd();
  }

  /** Closes the connection; who waits for an answer gets this error. */
  fail(error: Error): void {
    if (this.isGone) return;
    this.isGone = true;
    clearTimeout(this.connectTimer);
    this.socket.destroy();
    this.owner.onGone(this);
    const { listener } = this;
    this.listener = undefined;
    listener?.onError(error);
  }
}

/** How long an idle connection is of use, by the server's own word. */
function keepAliveOf(header: string | string[] | undefined): number {
  if (header === undefined) return idleMs;
  const [, seconds] = /(?:^|[ ,])timeout *= *(\d{1,9})/i.exec(String(header)) ?? [];
  if (seconds === undefined) return idleMs;
  return Math.min(maxIdleMs, Math.max(0, Number(seconds) * 1000 - headStartMs));
}

/** Server names are sent for names only (RFC 6066, section 3). */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}
