/**
 * The cheapest upstream there can be, so that what is measured is the way to it: one tool, `echo`, in the
 * modern era, without a library. `node echo-server.ts --stdio`, or `--http` (prints its URL).
 */

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

interface Message {
  readonly id?: string | number;
  readonly method: string;
  readonly params?: { readonly arguments?: { readonly text?: string } };
}

const version = '2026-07-28';
const serverInfo = { name: 'bench-echo', version: '1.0.0' };
const tool = {
  name: 'echo',
  description: 'Returns its text.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  annotations: { readOnlyHint: true },
};

function answer({ id, method, params }: Message): object {
  const result = resultOf(method, params);
  return result
    ? { jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } }
    : { jsonrpc: '2.0', id, error: { code: -32601, message: `method not found: ${method}` } };
}

function resultOf(method: string, params: Message['params']): object | undefined {
  const cache = { ttlMs: 60_000, cacheScope: 'public' };
  switch (method) {
    case 'server/discover':
      return { supportedVersions: [version], capabilities: { tools: {} }, serverInfo, ...cache };
    case 'tools/list':
      return { tools: [tool], ...cache };
    case 'tools/call':
      return { content: [{ type: 'text', text: params?.arguments?.text ?? '' }] };
    default:
      return undefined;
  }
}

if (process.argv.includes('--stdio')) {
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line) as Message;
    if (message.id !== undefined) process.stdout.write(`${JSON.stringify(answer(message))}\n`);
  }
} else {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'POST') {
        response.writeHead(405).end();
        return;
      }
      const message = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Message;
      if (message.id === undefined) {
        response.writeHead(202).end();
        return;
      }
      const reply = answer(message);
      const body = JSON.stringify(reply);
      response.writeHead('error' in reply ? 404 : 200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${(server.address() as { port: number }).port}/mcp\n`);
  });
}
