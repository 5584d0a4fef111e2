import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEdge } from '../../../test/fixtures/http-edge.ts';
import { createScriptedUpstream } from '../../../test/fixtures/scripted-upstream.ts';
import { configShape } from '../../config/schema.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import type { ListenOptions } from '../listen.ts';
import { paceMs } from './connections.ts';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/log.ts';
import { createAuthorizer } from '../../identity/policies/authorizer.ts';
import { createPolicyEngine } from '../../identity/policies/policy-engine.ts';

const upstream = createScriptedUpstream(
  'legacy',
  { 'tools/list': () => ({ tools: [] }) },
  { tools: { listChanged: false } },
);
const refusedCodes: string[] = [];
const clock = createFakeClock();
let open: AsyncDisposableStack;
beforeEach(() => {
  open = new AsyncDisposableStack();
  refusedCodes.length = 0;
});
afterEach(() => open.disposeAsync());

async function edgeWith(
  connections: Partial<ListenOptions['connections']> = {},
  more: Partial<ListenOptions> = {},
): Promise<number> {
  const edge = await startEdge(
    { 'one-1': upstream },
    undefined,
    undefined,
    0,
    {},
    {
      connections: { ...configShape.parse({}).connections, ...connections },
      onRefused: ({ code }) => void refusedCodes.push(code),
      clock,
      ...more,
    },
  );
  open.use(edge);
  return Number(new URL(edge.url).port);
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  open.defer(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the other side closes, or resets. */
async function rest(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

async function exchange(port: number, text: string): Promise<string> {
  const socket = await connected(port);
  socket.write(text);
  return await rest(socket);
}

const head = (...lines: string[]) =>
  ['GET /healthz HTTP/1.1', 'Host: 127.0.0.1', ...lines, '', ''].join('\r\n');
const post = (path: string, ...lines: string[]) =>
  [`POST ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Content-Type: application/json', ...lines, '', ''].join(
    '\r\n',
  );
const close = 'Connection: close';
const statusIn = (answer: string) => Number(/^HTTP\/1.1 (\d{3})/.exec(answer)?.[1]);

describe('the head of a request', () => {
  it('has to come in time, and not byte by byte', async () => {
    const port = await edgeWith({ headersTimeoutMs: 300 });
    const half = await connected(port);
    half.write('GET /healthz HTTP/1.1\r\nHost: 127');
    const dribbling = await connected(port);
    dribbling.write('GET /');
    const timer = setInterval(() => dribbling.write('a'), 20);
    const answers = await Promise.all([rest(half), rest(dribbling)]);
    clearInterval(timer);
    expect(statusIn(answers[0])).toBe(408);
    // Bytes that came after the end reset the connection, at times before its answer is read.
    expect(answers[1] === '' ? 408 : statusIn(answers[1])).toBe(408);
  });

  it('is bounded in bytes, headers and the length of its URL', async () => {
    const port = await edgeWith({ headerBytes: 4096, headerCount: 20, urlBytes: 1000 });
    const many = (count: number) => Array.from({ length: count }, (_, at) => `X-${at}: 1`);
    expect(statusIn(await exchange(port, head(close, ...many(18))))).toBe(200);
    expect(await exchange(port, head(close, ...many(19)))).toMatch(/^HTTP\/1.1 431[^]*TOO_MANY_HEADERS/);
    expect(statusIn(await exchange(port, head(close, ...many(3000))))).toBe(431);
    expect(statusIn(await exchange(port, head(`X: ${'x'.repeat(5000)}`)))).toBe(431);
    const long = head(close).replace('/healthz', `/healthz?${'x'.repeat(1000)}`);
    expect(await exchange(port, long)).toMatch(/^HTTP\/1.1 414[^]*URL_TOO_LONG/);
    expect(statusIn(await exchange(port, long.replace('xxx', 'x'.repeat(9000))))).toBe(431);
  });

  it.each([
    ['length and encoding', post('/mcp', 'Content-Length: 4', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
    ['two lengths', `${post('/mcp', 'Content-Length: 4', 'Content-Length: 5')}{}{}}`],
    ['a length that is none', `${post('/mcp', 'Content-Length: +4')}{}{}`],
    ['chunked that is not last', `${post('/mcp', 'Transfer-Encoding: chunked, identity')}0\r\n\r\n`],
    ['a chunk with a bad length', `${post('/mcp', 'Transfer-Encoding: chunked')}0x2\r\n{}\r\n0\r\n\r\n`],
    ['a line folded', head('X: one\r\n two')],
    ['space before the colon', head('Transfer-Encoding : chunked')],
    ['bare line feeds', 'GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n'],
    ['a bare carriage return', head('X: one\rY: two')],
    ['a zero byte', head('X: one\0')],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('cannot be read in two ways: %s', async (_, text) => {
    const answer = await exchange(await edgeWith(), text);
    expect(statusIn(answer)).toBe(400);
    // And what follows it is no second request.
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe('the body', () => {
  it.each(['/mcp', '/api/v1/bundles'])('of %s is refused when nested too deep', async (path) => {
    const port = await edgeWith({ jsonDepth: 50 });
    const send = (text: string) => exchange(port, post(path, close, `Content-Length: ${text.length}`) + text);
    const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(await send(deep(51))).toMatch(/^HTTP\/1.1 400[^]*nested deeper than 50/);
    expect(await send(deep(99_000 / 2))).toMatch(/nested deeper than 50/);
    expect(await send(deep(50))).not.toMatch(/nested/);
  });

  it('that comes too slowly is given up, and one that was slow once is not', async () => {
    const port = await edgeWith({ minBodyBytesPerSecond: 100 });
    const slow = await connected(port);
    slow.write(`${post('/mcp', 'Content-Length: 50000')}{`);
    const steady = await connected(port);
    steady.write(`${post('/mcp', 'Content-Length: 50000')}{`);
    await arrived(port);
    clock.advance(paceMs);
    steady.write(' '.repeat(10_000));
    await arrived(port);
    clock.advance(paceMs);
    expect(await rest(slow)).toMatch(/^HTTP\/1.1 408[^]*BODY_TOO_SLOW/);
    expect(refusedCodes).toEqual(['BODY_TOO_SLOW']);
    steady.end(`${' '.repeat(39_997)}}x`);
    expect(await rest(steady)).not.toMatch(/408/);
  });
});

/** What others sent before is there once a whole request behind it has been answered. */
async function arrived(port: number): Promise<void> {
  for (let n = 0; n < 3; n += 1) expect(statusIn(await exchange(port, head(close)))).toBe(200);
}

describe('connections', () => {
  it('beyond the bound are told so, and there is room again when one ends', async () => {
    const port = await edgeWith({ max: 3 });
    const idle = await Promise.all([connected(port), connected(port), connected(port)]);
    const answer = await exchange(port, head(close));
    expect(answer).toMatch(/^HTTP\/1.1 503[^]*Retry-After: 5[^]*3 connections already/);
    expect(refusedCodes).toEqual(['OVERLOADED']);
    const flood = await Promise.all(Array.from({ length: 50 }, () => exchange(port, head(close))));
    expect(new Set(flood.map(statusIn))).toEqual(new Set([503]));
    const [first] = idle;
    first.end(head(close));
    expect(statusIn(await rest(first))).toBe(200);
    expect(statusIn(await exchange(port, head(close)))).toBe(200);
  });

  it('may have so many requests waiting', async () => {
    const port = await edgeWith({ pipelinedRequests: 4 });
    const four = await exchange(port, head().repeat(3) + head(close));
    expect(four.match(/HTTP\/1.1 200/g)).toHaveLength(4);
    const thousand = await exchange(port, head().repeat(1000));
    expect(thousand.match(/HTTP\/1.1 200/g)?.length ?? 0).toBeLessThan(10);
    expect(refusedCodes).toContain('OVERLOADED');
  });

  it('end after so many requests', async () => {
    const port = await edgeWith({ requestsPerConnection: 2 });
    const answer = await exchange(port, head().repeat(5));
    expect(answer.match(/HTTP\/1.1 200/g)).toHaveLength(2);
  });
});

describe('behind a proxy', () => {
  const authenticate: ListenOptions['authenticate'] = async () => ({
    id: 'x',
    tenant: 'default',
    role: 'owner',
  });
  const authorizer = createAuthorizer(
    createPolicyEngine({ clock: systemClock, logger: silentLogger, memoryServerOf: () => undefined }),
  );
  const path = '/.well-known/oauth-protected-resource/mcp';
  it.each([
    [['127.0.0.0/8'], 'https://127.0.0.1/mcp'],
    [['10.0.0.0/8'], 'http://127.0.0.1/mcp'],
    [[], 'http://127.0.0.1/mcp'],
  ])('that is among %j the resource is %s', async (trustedProxies, resource) => {
    const port = await edgeWith({}, { trustedProxies, authenticate, authorizer });
    const answer = await exchange(port, head(close, 'X-Forwarded-Proto: https').replace('/healthz', path));
    expect(answer).toContain(`"resource":"${resource}"`);
  });
});

it('says nothing of what answers, and tells browsers to do nothing with it', async () => {
  const answer = await exchange(await edgeWith(), head(close));
  expect(answer).toMatch(/content-security-policy: default-src 'none'/i);
  expect(answer).not.toMatch(/^(?:server|x-powered-by|strict-transport-security):/im);
});
