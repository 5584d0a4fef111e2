/**
 * Asks name servers for SRV records. Node.js does so too, and does not tell how long the answer holds, which is
 * what discovery goes by.
 */

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, isIPv6 } from 'node:net';
import { decodeSrvReply, type DnsReply, encodeSrvQuestion } from './dns-message.ts';
import type { SrvResolver } from './dns-source.ts';

export interface ResolveSrvOptions {
  /** As `getServers` of node:dns gives them: `1.1.1.1`, `127.0.0.1:5353`, `[::1]:53`. */
  readonly servers?: () => readonly string[];
  /** Time for one server over one transport, milliseconds. */
  readonly timeoutMs?: number;
}

interface Server {
  readonly address: string;
  readonly port: number;
}

type Ask = (server: Server, question: Buffer, timeoutMs: number) => Promise<DnsReply>;

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function parseServer(text: string): Server {
  const match = /^\[(.+)\]:(\d+)$/.exec(text) ?? /^([^:]+):(\d+)$/.exec(text);
  return { address: match?.[1] ?? text, port: Number(match?.[2] ?? 53) };
}

/** Rejects ETIMEOUT, or as the socket does. What is no answer to the question is passed over. */
const askUdp: Ask = async ({ address, port }, question, timeoutMs) => {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const { promise, resolve, reject } = Promise.withResolvers<DnsReply>();
  const timer = setTimeout(() => reject(failure('ETIMEOUT')), timeoutMs);
  socket.on('error', reject);
  socket.on('message', (message) => {
    try {
      const reply = decodeSrvReply(message, question);
      if (reply) resolve(reply);
    } catch {
      reject(failure('EBADRESP'));
    }
  });
  try {
    // Connected, so that only this server is heard.
    socket.connect(port, address, () => socket.send(question));
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
};

const askTcp: Ask = async ({ address, port }, question, timeoutMs) => {
  const socket = connect({ host: address, port });
  const { promise, resolve, reject } = Promise.withResolvers<DnsReply>();
  const timer = setTimeout(() => reject(failure('ETIMEOUT')), timeoutMs);
  let received = Buffer.alloc(0);
  socket.on('error', reject);
  socket.on('close', () => reject(failure('ECONNRESET')));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    try {
      const reply = decodeSrvReply(received.subarray(2, 2 + received.readUInt16BE(0)), question);
      if (reply) resolve(reply);
      else reject(failure('EBADRESP'));
    } catch {
      reject(failure('EBADRESP'));
    }
  });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(question.length, 0);
  socket.write(Buffer.concat([length, question]));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
};

/** A resolver that asks the name servers of the system, or those given, one after the other. */
export function createSrvResolver({
  servers = getServers,
  timeoutMs = 3000,
}: ResolveSrvOptions = {}): SrvResolver {
  async function askOne(server: Server, name: string): Promise<DnsReply> {
    const question = encodeSrvQuestion(randomInt(0x10000), name);
    const reply = await askUdp(server, question, timeoutMs);
    return reply.isTruncated ? await askTcp(server, question, timeoutMs) : reply;
  }

  return async (name) => {
    let problem: unknown = failure('ENOSERVER');
    for (const server of servers().map(parseServer)) {
      try {
        const reply = await askOne(server, name);
        if (reply.responseCode === 3) throw failure('ENOTFOUND');
        if (reply.responseCode === 0 && reply.targets.length === 0) throw failure('ENODATA');
        if (reply.responseCode === 0) return reply;
        problem = failure('ESERVFAIL');
      } catch (error) {
        // That there are no such records is an answer, and no other server need be asked.
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code === 'ENOTFOUND' || code === 'ENODATA') throw error;
        problem = error;
      }
    }
    throw problem;
  };
}
