/** The bare reverse proxy that the gateway is compared with: `node reverse-proxy.ts URL` (prints its own URL). */

import { Agent, createServer, request } from 'node:http';

const target = new URL(process.argv[2]!);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

const server = createServer((incoming, response) => {
  const outgoing = request(
    {
      agent,
      hostname: target.hostname,
      port: target.port,
      path: target.pathname,
      method: incoming.method,
      headers: { ...incoming.headers, host: target.host },
    },
    (upstream) => {
      response.writeHead(upstream.statusCode ?? 502, upstream.headers);
      upstream.pipe(response);
    },
  );
  outgoing.on('error', () => response.writeHead(502).end());
  incoming.pipe(outgoing);
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as { port: number }).port}/mcp\n`);
});
