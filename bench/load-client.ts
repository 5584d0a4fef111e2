/** One caller of the load generator: a socket of its own, one call at a time, HTTP/1.1 by hand. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Load } from './load.ts';

export interface LoadClient {
  /** Calls the tool; rejects unless the answer is a good one. */
  call(): Promise<void>;
  close(): void;
}

interface Answer {
  readonly head: string;
  readonly body: string;
}

const modernVersion = '2026-07-28';
const legacyVersion = '2025-11-25';
const clientInfo = { name: 'bench', version: '1.0.0' };
const endOfChunks = Buffer.from('\r\n0\r\n\r\n');

/** Length of the first whole answer in `bytes`, and its body; undefined while it is not all there. */
function readAnswer(bytes: Buffer): { answer: Answer; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const declared = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const start = end + 4;
  if (declared !== undefined || !/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const length = start + Number(declared ?? 0);
    return bytes.length < length
      ? undefined
      : { answer: { head, body: bytes.toString('utf8', start, length) }, length };
  }
  // JSON holds no bare line end, so the last chunk's mark cannot be inside an answer.
  const last = bytes.indexOf(endOfChunks, end + 2);
  return last < 0
    ? undefined
    : { answer: { head, body: bytes.toString('utf8', start, last) }, length: last + endOfChunks.length };
}

/** Makes callers; in the legacy era they share one session, as the windows of one client would. */
export function createLoadClient(load: Load): () => Promise<LoadClient> {
  const { protocol, hostname, port, pathname } = new URL(load.url);
  let session: Promise<string> | undefined;
  let lastId = 0;

  async function openSocket() {
    const place = { host: hostname, port: Number(port) };
    const isTls = protocol === 'https:';
    // Whose certificate it is makes no difference to the time.
    const socket = isTls
      ? connectTls({ ...place, rejectUnauthorized: false }).setNoDelay()
      : connect({ ...place, noDelay: true });
    await once(socket, isTls ? 'secureConnect' : 'connect');
    let held: Buffer = Buffer.alloc(0);
    let waiting: PromiseWithResolvers<Answer> | undefined;
    const fail = (error: Error) => waiting?.reject(error);
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the connection was closed')));
    socket.on('data', (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const read = readAnswer(held);
      if (!read) return;
      held = held.subarray(read.length);
      waiting?.resolve(read.answer);
    });
    return {
      close: () => socket.destroy(),
      send(headers: string, body: string): Promise<Answer> {
        waiting = Promise.withResolvers<Answer>();
        socket.write(
          `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\n` +
            `accept: application/json, text/event-stream\r\n${headers}` +
            `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
        return waiting.promise;
      },
    };
  }

  /** The header line of the session, empty where the server gives none. */
  async function initialize(): Promise<string> {
    const socket = await openSocket();
    const params = { protocolVersion: legacyVersion, capabilities: {}, clientInfo };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    const { head, body: text } = await socket.send('', body);
    if (!text.includes('"protocolVersion"')) throw new Error(`no session: ${head} ${text}`);
    const id = /\r\nmcp-session-id: *([^\r]+)/i.exec(head)?.[1];
    const line = `${id === undefined ? '' : `mcp-session-id: ${id}\r\n`}mcp-protocol-version: ${legacyVersion}\r\n`;
    await socket.send(line, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    socket.close();
    return line;
  }

  const legacyParams = { name: load.tool, arguments: { text: 'hello' } };
  const modernParams = {
    ...legacyParams,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': modernVersion,
      'io.modelcontextprotocol/clientInfo': clientInfo,
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  };
  const isModern = load.era === 'modern';
  const rest = `,"method":"tools/call","params":${JSON.stringify(isModern ? modernParams : legacyParams)}}`;

  return async () => {
    const headers = isModern
      ? `mcp-protocol-version: ${modernVersion}\r\nmcp-method: tools/call\r\nmcp-name: ${load.tool}\r\n`
      : await (session ??= initialize());
    const socket = await openSocket();
    return {
      close: socket.close,
      async call() {
        lastId += 1;
        const id = lastId;
        const { head, body } = await socket.send(headers, `{"jsonrpc":"2.0","id":${id}${rest}`);
        const isGood =
          head.startsWith('HTTP/1.1 200') &&
          body.includes('"content"') &&
          body.includes(`"id":${id}`) &&
          !body.includes('"isError":true');
        if (!isGood) throw new Error(`${head.split('\r\n', 1)[0]} ${body}`);
      },
    };
  };
}
