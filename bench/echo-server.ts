/**
 * The cheapest upstream there can be, so that what is measured is the way to it: one tool, `echo`, which always
 * answers the same, without a library. `node echo-server.ts --stdio`, or `--http` (prints its URL); it speaks the
 * modern era, or with `--legacy` the former; `--bytes N` sets the length of the answer's text.
 */

import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

interface Message {
  readonly id?: string | number;
  readonly method: string;
  readonly params?: { readonly protocolVersion?: string };
}

const { values } = parseArgs({
  options: {
    stdio: { type: 'boolean' },
    http: { type: 'boolean' },
    legacy: { type: 'boolean', default: false },
    bytes: { type: 'string', default: '200' },
  },
});
const identity = {
  capabilities: { tools: {} },
  serverInfo: { name: 'bench-echo', version: '1.0.0' },
};
const cache = { ttlMs: 60_000, cacheScope: 'public' };
const tool = {
  name: 'echo',
  description: 'Answers the same each time.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  annotations: { readOnlyHint: true },
};
const reply = JSON.stringify({
  ...(!values.legacy && { resultType: 'complete' }),
  content: [{ type: 'text', text: 'x'.repeat(Number(values.bytes)) }],
});

function resultOf({ method, params }: Message): object | undefined {
  switch (method) {
    case 'server/discover':
      if (values.legacy) return undefined;
      return { resultType: 'complete', supportedVersions: ['2026-07-28'], ...identity, ...cache };
    case 'initialize':
      return { protocolVersion: params?.protocolVersion, ...identity };
    case 'tools/list':
      return { resultType: 'complete', tools: [tool], ...cache };
    case 'ping':
      return {};
    default:
      return undefined;
  }
}

/** The answer to one message as text; undefined for a notification. */
function answer(text: string): string | undefined {
  const message = JSON.parse(text) as Message;
  const { id, method } = message;
  if (id === undefined) return undefined;
  const start = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},`;
  if (method === 'tools/call') return `${start}"result":${reply}}`;
  const result = resultOf(message);
  if (result) return `${start}"result":${JSON.stringify(result)}}`;
  return `${start}"error":{"code":-32601,"message":"method not found"}}`;
}

/** Requests of one socket, answered in turn: just enough HTTP/1.1 for a proxy in front, without node:http's cost. */
function serveSocket(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (;;) {
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = held.toString('latin1', 0, end);
      const bytes = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      const next = end + 4 + bytes;
      if (held.length < next) return;
      const text = head.startsWith('POST') ? answer(held.toString('utf8', end + 4, next)) : undefined;
      const status = head.startsWith('POST') ? 202 : 405;
      socket.write(
        text === undefined
          ? `HTTP/1.1 ${status} Done\r\ncontent-length: 0\r\n\r\n`
          : `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
      held = held.subarray(next);
    }
  });
}

if (values.stdio) {
  for await (const line of createInterface({ input: process.stdin })) {
    const text = answer(line);
    if (text !== undefined) process.stdout.write(`${text}\n`);
  }
} else {
  const server = createServer(serveSocket);
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${(server.address() as { port: number }).port}/mcp\n`);
  });
}
