import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createLinkPool, type LinkPool } from './link-pool.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A server that does with each request, as text, what the script says. */
async function serve(script: (request: string, socket: Socket, count: number) => void) {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let count = 0;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      requests.push(data.toString());
      script(data.toString(), socket, (count += 1));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const pool = createLinkPool({ isSecure: false, host: '127.0.0.1', port }, `127.0.0.1:${port}`);
  closers.push(() => pool.close());
  return { pool, sockets, requests, port };
}

interface Asked {
  readonly wasSent: boolean;
  readonly status?: number;
  readonly body?: string;
  readonly problem?: string;
}

function ask(pool: LinkPool, headers: Record<string, string> = {}, body = 'x'): Promise<Asked> {
  return new Promise((resolve) => {
    let asked = { wasSent: false, body: '' };
    const request = { method: 'POST', path: '/mcp', headers: [headers, { accept: 'a', own: 'o' }], body };
    pool.send(request, {
      onSent: () => void (asked = { ...asked, wasSent: true }),
      onHead: (status) => void (asked = Object.assign({}, asked, { status })),
      onData: (chunk) => void (asked = { ...asked, body: asked.body + chunk.toString() }),
      onEnd: () => resolve(asked),
      onError: (error) => resolve({ wasSent: asked.wasSent, problem: error.message }),
    });
  });
}

const answer = (body: string, ...headers: string[]) =>
  ['HTTP/1.1 200 OK', `content-length: ${body.length}`, ...headers, '', body].join('\r\n');

test('one request after the other goes over one connection, those at once over several', async () => {
  const { pool, sockets, requests } = await serve((_, socket) => void socket.write(answer('one')));
  for (let n = 0; n < 3; n += 1) expect(await ask(pool)).toEqual({ wasSent: true, status: 200, body: 'one' });
  expect(sockets).toHaveLength(1);
  await Promise.all(Array.from({ length: 5 }, () => ask(pool)));
  expect(sockets).toHaveLength(5);
  expect(requests[0]).toMatch(
    /^POST \/mcp HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nconnection: keep-alive\r\naccept: a\r\nown: o\r\ncontent-length: 1\r\n\r\nx$/,
  );
});

test('headers of a call win, and the length is that of the bytes', async () => {
  const { pool, requests } = await serve((_, socket) => void socket.write(answer('')));
  await ask(pool, { accept: 'b' }, 'ไทย');
  expect(requests[0]).toMatch(/\r\nown: o\r\naccept: b\r\ncontent-length: 9\r\n\r\nไทย$/);
});

test.each([
  ['a line break', { x: 'a\r\nHost: evil' }],
  ['a NUL', { x: 'a\0' }],
  ['what is not ASCII', { x: 'ไ' }],
  ['a name with a colon', { 'x:y': 'a' }],
  ['an empty name', { '': 'a' }],
])('%s in a header is never sent', async (_, headers) => {
  const { pool, requests } = await serve((_request, socket) => void socket.write(answer('')));
  await expect(async () => ask(pool, headers)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect(await ask(pool)).toMatchObject({ status: 200 });
  expect(requests).toHaveLength(1);
});

test.each([
  ['says that it closes', answer('x', 'connection: close')],
  ['says that it keeps nothing', answer('x', 'keep-alive: timeout=1')],
  ['sends more than an answer', `${answer('x')}HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\ny`],
])('a connection whose server %s is not used again', async (_, text) => {
  const { pool, sockets } = await serve((_request, socket) => void socket.write(text));
  expect(await ask(pool)).toMatchObject({ body: 'x' });
  expect(await ask(pool)).toMatchObject({ body: 'x' });
  expect(sockets).toHaveLength(2);
});

test('what comes unasked ends the connection, and is nobody’s answer', async () => {
  const { pool, sockets } = await serve((_, socket) => void socket.write(answer('x')));
  await ask(pool);
  const closed = once(sockets[0]!, 'close');
  sockets[0]!.write(answer('forged'));
  await closed;
  expect(await ask(pool)).toMatchObject({ body: 'x' });
  expect(sockets).toHaveLength(2);
});

test('a server that ends an idle connection is asked over a new one', async () => {
  const { pool, sockets } = await serve((_, socket) => void socket.write(answer('x')));
  await ask(pool);
  const closed = once(sockets[0]!, 'close');
  sockets[0]!.end();
  await closed;
  expect(await ask(pool)).toMatchObject({ body: 'x' });
});

test('tells a request that was never sent from one that was', async () => {
  const { pool, port } = await serve((_, socket) => socket.destroy());
  expect(await ask(pool)).toMatchObject({ wasSent: true, problem: expect.any(String) });
  const nobody = createLinkPool({ isSecure: false, host: '127.0.0.1', port: 1 }, 'x');
  closers.push(() => nobody.close());
  expect(await ask(nobody)).toMatchObject({ wasSent: false, problem: expect.stringMatching(/REFUSED/) });
  expect(port).toBeGreaterThan(0);
});

test('a broken answer is an error of its request, and the next one goes over a new connection', async () => {
  const { pool, sockets } = await serve((_request, socket, count) => {
    socket.write(sockets.length === 1 && count === 1 ? 'HTTP/1.1 200 OK\r\nbad header\r\n\r\n' : answer('x'));
  });
  expect(await ask(pool)).toMatchObject({ wasSent: true, problem: 'its answer has a broken header' });
  expect(await ask(pool)).toMatchObject({ body: 'x' });
});

test('closing ends what is under way', async () => {
  const { pool, sockets } = await serve(() => {});
  const asked = ask(pool);
  while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
  pool.close();
  expect(await asked).toMatchObject({ problem: 'the link was closed' });
});

test('a request given up closes its connection and hears nothing more', async () => {
  const { pool, sockets } = await serve(() => {});
  let heard = 0;
  const count = () => void (heard += 1);
  const link = pool.send(
    { method: 'GET', path: '/', headers: [], body: undefined },
    { onSent: () => {}, onHead: count, onData: count, onEnd: count, onError: count },
  );
  while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = once(sockets[0]!, 'close');
  link.destroy();
  await closed;
  expect(heard).toBe(0);
});
