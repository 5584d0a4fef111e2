/**
 * Connections to one origin, kept while they are of use: the way of every call to a server over HTTP. It does what a call
 * needs and nothing else, which takes a third of the processor time of a general client (decision 46).
 */

import { AppError } from '../../kernel/errors.ts';
import { type AnswerListener, Link, type Origin } from './link.ts';

export interface LinkPool {
  /** Sends a request over a free connection, or a new one. Throws INVALID_INPUT for a header that cannot be sent. */
  send(request: OutgoingRequest, listener: AnswerListener): Link;
  /** Closes all connections; requests under way end with an error. */
  close(): void;
}

export interface OutgoingRequest {
  readonly method: string;
  /** Path and query, encoded. */
  readonly path: string;
  /** Of the caller, and under them those of every request; by lower-case name. */
  readonly headers: readonly (Readonly<Record<string, string>> | undefined)[];
  readonly body: string | undefined;
}

const headerName = /^[!#$%&'*+\-.^_`|~\da-z]+$/;
/** Others than ASCII would have to be encoded in a way that not every server reads. */
const headerValue = /^[\t\x20-\x7e]*$/;

/** `host` is the value of the Host header. */
export function createLinkPool(origin: Origin, host: string): LinkPool {
  const free: Link[] = [];
  const all = new Set<Link>();
  const fixed = `host: ${host}\r\nconnection: keep-alive\r\n`;
  let sweeping: NodeJS.Timeout | undefined;

  const owner = {
    onFree(link: Link) {
      free.push(link);
      sweeping ??= setTimeout(sweep, 1000).unref();
    },
    onGone(link: Link) {
      all.delete(link);
      const at = free.lastIndexOf(link);
      if (at >= 0) free.splice(at, 1);
    },
  };

  function sweep(): void {
    sweeping = undefined;
    const now = performance.now();
    for (const link of free.filter(({ usableUntilMs }) => usableUntilMs <= now)) link.destroy();
    if (free.length > 0) sweeping = setTimeout(sweep, 1000).unref();
  }

  /** The one used last: what is not needed any more grows old. */
  function take(): Link {
    const now = performance.now();
    for (let link = free.pop(); link; link = free.pop()) {
      if (link.usableUntilMs > now) return link;
      link.destroy();
    }
    const made = new Link(origin, owner);
    all.add(made);
    return made;
  }

  return {
    send(request, listener) {
      const text = textOf(request, fixed);
      const link = take();
      link.send(text, listener);
      return link;
    },
    close() {
      clearTimeout(sweeping);
      for (const link of all) link.fail(new Error('the link was closed'));
    },
  };
}

function textOf({ method, path, headers, body }: OutgoingRequest, fixed: string): string {
  let head = `${method} ${path} HTTP/1.1\r\n${fixed}`;
  const [own, under] = headers;
  if (under) for (const name in under) if (own?.[name] === undefined) head += lineOf(name, under[name]!);
  if (own) for (const name in own) head += lineOf(name, own[name]!);
  return body === undefined
    ? `${head}\r\n`
    : `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function lineOf(name: string, value: string): string {
  if (!headerName.test(name) || !headerValue.test(value))
    throw new AppError('INVALID_INPUT', {
      field: `header ${name}`,
      problem: 'has characters that cannot be sent',
    });
  return `${name}: ${value}\r\n`;
}
