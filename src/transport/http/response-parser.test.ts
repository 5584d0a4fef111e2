import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ResponseParser } from './response-parser.ts';

interface Read {
  status?: number;
  headers?: Record<string, unknown>;
  body: string;
  isReusable?: boolean;
  problem?: string | undefined;
}

/** Reads one response that comes in these pieces; `isEnd`: the connection ends after them. */
function read(pieces: readonly Buffer[], isEnd = false): Read {
  const chunks: Buffer[] = [];
  const seen: Read = { body: '' };
  const parser = new ResponseParser({
    onHead: (status, headers) => Object.assign(seen, { status, headers: { ...headers } }),
    onData: (chunk) => chunks.push(Buffer.from(chunk)),
    onEnd: (isReusable) => (seen.isReusable = isReusable),
  });
  parser.expect();
  for (const piece of pieces) {
    seen.problem = parser.push(piece);
    if (seen.problem !== undefined) break;
  }
  if (isEnd && seen.problem === undefined) seen.problem = parser.end();
  seen.body = Buffer.concat(chunks).toString('utf8');
  return seen;
}

const readText = (text: string, isEnd = false) => read([Buffer.from(text, 'latin1')], isEnd);
const ok = 'HTTP/1.1 200 OK\r\n';

test.each([
  ['a length', `${ok}Content-Length: 5\r\n\r\nhello`, 'hello', true],
  ['a length of nothing', `${ok}content-length:0\r\n\r\n`, '', true],
  ['chunks', `${ok}Transfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n2;x="y"\r\nlo\r\n0\r\n\r\n`, 'hello', true],
  ['a trailer', `${ok}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n000\r\nx-a: b\r\n\r\n`, 'x', true],
  ['no content', 'HTTP/1.1 204 No Content\r\nconnection: Keep-Alive\r\n\r\n', '', true],
  [
    'an interim answer before it',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nlink: x\r\n\r\n${ok}content-length: 1\r\n\r\nx`,
    'x',
    true,
  ],
  ['no reason phrase', 'HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx', 'x', true],
  [
    'a connection that is closed after it',
    `${ok}connection: close\r\ncontent-length: 1\r\n\r\nx`,
    'x',
    false,
  ],
  ['an older version', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx', 'x', false],
  [
    'an older version that stays',
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx',
    'x',
    true,
  ],
  ['more than an answer', `${ok}content-length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n`, 'x', false],
])('an answer with %s', (_, text, body, isReusable) => {
  const whole = readText(text);
  expect(whole).toMatchObject({ body, isReusable, problem: undefined });
  const bytes = [...Buffer.from(text, 'latin1')].map((byte) => Buffer.from([byte]));
  // What comes later than the answer belongs to nobody.
  if (isReusable || !/HTTP.*HTTP/s.test(text)) expect(read(bytes)).toEqual(whole);
});

test('an answer without a length ends with the connection', () => {
  expect(readText(`${ok}\r\nhello`, true)).toMatchObject({
    body: 'hello',
    isReusable: false,
    problem: undefined,
  });
});

test.each([
  ['is no HTTP', 'SSH-2.0-x\r\n\r\n'],
  ['is HTTP/2', 'HTTP/2 200\r\n\r\n'],
  ['has two lengths', `${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['has two different lengths', `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`],
  ['has a length with a sign', `${ok}content-length: +1\r\n\r\nx`],
  ['has a length in a list', `${ok}content-length: 1, 1\r\n\r\nx`],
  ['has another coding', `${ok}transfer-encoding: gzip, chunked\r\n\r\n`],
  ['has a coding twice', `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['has a space before a colon', `${ok}content-length : 1\r\n\r\nx`],
  ['has a folded header', `${ok}a: b\r\n c\r\n\r\n`],
  ['has a bare line feed', `${ok}a: b\nc: d\r\n\r\n`],
  ['has a bare carriage return', `${ok}a: b\rc: d\r\n\r\n`],
  ['has a NUL', `${ok}a: b\0\r\n\r\n`],
  ['has a header without a name', `${ok}: b\r\n\r\n`],
  ['changes the protocol', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'],
  ['has a chunk without a size', `${ok}transfer-encoding: chunked\r\n\r\n\r\nx`],
  ['has a chunk with a negative size', `${ok}transfer-encoding: chunked\r\n\r\n-1\r\nx`],
  ['has a chunk in hexadecimal notation', `${ok}transfer-encoding: chunked\r\n\r\n0x1\r\nx`],
  ['has a chunk that is longer than it says', `${ok}transfer-encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n`],
  ['has a very long head', `${ok}a: ${'x'.repeat(70_000)}\r\n\r\n`],
  ['has a head without an end', `${ok}a: ${'x'.repeat(70_000)}`],
  ['has a very long chunk line', `${ok}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(2000)}\r\nx`],
])('refuses an answer that %s', (_, text) => {
  const { problem, isReusable } = readText(text);
  expect([typeof problem, isReusable]).toEqual(['string', undefined]);
});

test.each([
  ['its head', 'HTTP/1.1 200 O'],
  ['its body', `${ok}content-length: 10\r\n\r\nhello`],
  ['a chunk', `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhel`],
  ['its last chunk', `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`],
])('an answer cut off in %s is none', (_, text) => {
  expect(readText(text, true)).toMatchObject({
    problem: expect.stringMatching(/before its answer was whole/),
  });
});

describe('however an answer is cut', () => {
  const headers = fc.dictionary(
    fc.stringMatching(/^x-[a-z]{1,8}$/),
    fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
    { maxKeys: 4 },
  );
  const bodies = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), { maxLength: 5 });

  it('reads the same', () => {
    fc.assert(
      fc.property(headers, bodies, fc.boolean(), fc.array(fc.nat(300)), (given, parts, isChunked, cuts) => {
        const texts = parts.map((part) => Buffer.from(part.toWellFormed()));
        const length = texts.reduce((sum, text) => sum + text.length, 0);
        const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
        const lines = Object.entries(given).map(([name, value]) => `${name.toUpperCase()}: ${value}`);
        const head = Buffer.from(`${[ok.trim(), ...lines, framing].join('\r\n')}\r\n\r\n`);
        const body = isChunked
          ? [...texts.flatMap((text) => [`${text.length.toString(16)}\r\n`, text, '\r\n']), '0\r\n\r\n']
          : texts;
        const bytes = Buffer.concat([head, ...body.map((part) => Buffer.from(part))]);
        const places = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].toSorted(
          (a, b) => a - b,
        );
        const pieces = places.slice(1).map((end, at) => bytes.subarray(places[at], end));
        const seen = read(pieces);
        expect(seen).toMatchObject({
          status: 200,
          body: Buffer.concat(texts).toString('utf8'),
          isReusable: true,
        });
        expect(seen.headers).toMatchObject(given);
      }),
    );
  });
});
