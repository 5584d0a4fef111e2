import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeSrvReply, type SrvReplyOptions } from '../../test/fixtures/srv-reply.ts';
import { decodeSrvReply, encodeSrvQuestion } from './dns-message.ts';
import type { SrvTarget } from './dns-source.ts';
import { createSrvResolver } from './resolve-srv.ts';

const name = '_mcp._tcp.example.org';
const label = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const target = fc.record({
  priority: fc.nat(0xffff),
  weight: fc.nat(0xffff),
  port: fc.nat(0xffff),
  host: fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
});

describe('DNS messages', () => {
  it('come back as they were sent', () => {
    fc.assert(
      fc.property(fc.array(target, { maxLength: 20 }), fc.nat(0xffff), (targets, id) => {
        const question = encodeSrvQuestion(id, name);
        const reply = decodeSrvReply(encodeSrvReply(question, targets), question);
        expect(reply).toEqual({
          responseCode: 0,
          isTruncated: false,
          targets,
          ...(targets.length > 0 && { ttlSeconds: 60 }),
        });
      }),
    );
  });

  it('that answer another question are none', () => {
    const question = encodeSrvQuestion(1, name);
    expect(decodeSrvReply(encodeSrvReply(encodeSrvQuestion(2, name), []), question)).toBeUndefined();
    expect(decodeSrvReply(encodeSrvReply(encodeSrvQuestion(1, 'b.c'), []), question)).toBeUndefined();
    expect(decodeSrvReply(question, question)).toBeUndefined();
  });

  it('that are broken anywhere end in an error of range or in an answer, never in a loop', () => {
    const question = encodeSrvQuestion(1, name);
    const whole = encodeSrvReply(question, [{ priority: 1, weight: 1, port: 1, host: 'a.b' }]);
    const broken = fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length));
    fc.assert(
      fc.property(broken, ([at, byte, length]) => {
        const bytes = Buffer.from(whole);
        bytes[at] = byte;
        try {
          decodeSrvReply(bytes.subarray(0, length), question);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('createSrvResolver', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** A name server on loopback, over UDP and TCP; what it truncates over UDP is whole over TCP. */
  async function serve(targets: readonly SrvTarget[], options: SrvReplyOptions): Promise<string> {
    const tcp = createServer((socket) => {
      socket.once('data', (chunk: Buffer) => {
        const reply = encodeSrvReply(chunk.subarray(2), targets, { ...options, isTruncated: false });
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length, 0);
        // In two pieces, as networks do.
        socket.write(Buffer.concat([length, reply.subarray(0, 5)]));
        socket.end(reply.subarray(5));
      });
    }).listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as { port: number };
    const udp = createSocket('udp4').bind(port, '127.0.0.1');
    await once(udp, 'listening');
    udp.on('message', (question, { port: to }) =>
      udp.send(encodeSrvReply(question, options.isTruncated ? [] : targets, options), to, '127.0.0.1'),
    );
    closing.push(
      () => udp.close(),
      () => tcp.close(),
    );
    return `127.0.0.1:${port}`;
  }

  const a: SrvTarget = { priority: 1, weight: 2, port: 443, host: 'a.example.org' };

  it('tells targets and how long they hold, also of an answer too long for UDP', async () => {
    for (const isTruncated of [false, true]) {
      const server = await serve([a], { ttlSeconds: 77, isTruncated });
      expect(await createSrvResolver({ servers: () => [server] })(name)).toMatchObject({
        targets: [a],
        ttlSeconds: 77,
      });
    }
  });

  it('asks the next server when one fails, and takes no for an answer', async () => {
    const failing = await serve([], { responseCode: 2 });
    const good = await serve([a], {});
    const gone = await serve([], { responseCode: 3 });
    const ask = (...servers: string[]) => createSrvResolver({ servers: () => servers })(name);
    expect((await ask(failing, good)).targets).toEqual([a]);
    await expect(ask(failing)).rejects.toMatchObject({ code: 'ESERVFAIL' });
    await expect(ask(gone, good)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});
