/**
 * The bare reverse proxy that the gateway is compared with, node:http and undici and nothing else:
 * `node reverse-proxy.ts URL` (prints its own URL).
 */

import { createServer } from 'node:http';
import { Pool } from 'undici';

const target = new URL(process.argv[2]!);
const pool = new Pool(target.origin, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

const server = createServer((incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const { connection: _connection, ...headers } = incoming.headers;
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    pool.dispatch(
      { path: target.pathname, method: 'POST', headers: { ...headers, host: target.host }, body },
      {
        onRequestStart() {},
        onResponseStart(_, status, answerHeaders) {
          response.writeHead(status, answerHeaders);
        },
        onResponseData(_, chunk) {
          response.write(chunk);
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.writeHead(502).end();
        },
      },
    );
  });
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as { port: number }).port}/mcp\n`);
});
