import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../test/e2e/eventually.ts';
import { startEdge } from '../../test/fixtures/http-edge.ts';
import { openTestMemory } from '../../test/fixtures/memory-in-temp.ts';
import { silentLogger } from '../kernel/log.ts';
import { createAccess } from './access.ts';
import { createChangeStreams } from './change-stream.ts';
import type { Beating, KeepAlive } from './mcp/reply.ts';

interface StreamEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: { readonly key?: string; readonly next?: string; readonly position?: string };
}

interface OpenStream extends Disposable {
  readonly response: IncomingMessage;
  readonly events: StreamEvent[];
  readonly isClosed: () => boolean;
}

function parseEvents(text: string): StreamEvent[] {
  return text.split('\n\n').flatMap((block) => {
    const fields = block.split('\n').flatMap((line) => {
      const [, name = '', value = ''] = /^(id|event|data): (.*)$/.exec(line) ?? [];
      return name === '' ? [] : [[name, name === 'data' ? JSON.parse(value) : value]];
    });
    return fields.length === 0 ? [] : [Object.fromEntries(fields) as StreamEvent];
  });
}

async function openStream(url: string, query = '', headers = {}): Promise<OpenStream> {
  const events: StreamEvent[] = [];
  let text = '';
  let closed = false;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request: ClientRequest = httpRequest(
    `${url}/api/v1/memory-changes${query}`,
    { headers: { accept: 'text/event-stream', ...headers } },
    resolve,
  );
  request.on('error', reject).end();
  const response = await promise;
  response.on('close', () => (closed = true)).on('error', () => {});
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const end = text.lastIndexOf('\n\n') + 2;
    if (end < 2) return;
    events.push(...parseEvents(text.slice(0, end)));
    text = text.slice(end);
  });
  return { response, events, isClosed: () => closed, [Symbol.dispose]: () => void request.destroy() };
}

const keysOf = (stream: OpenStream) =>
  stream.events.flatMap(({ event, data }) => (event === 'change' ? [data?.key] : []));

async function heard(stream: OpenStream, count: number): Promise<(string | undefined)[]> {
  await eventually(`${count} changes`, () => (keysOf(stream).length >= count ? true : undefined));
  return keysOf(stream);
}

describe('the stream of changes', () => {
  it('sends changes as they come, and goes on where a client was', async () => {
    await using test = await openTestMemory();
    await using edge = await startEdge({}, 'custom', test.memory);
    const first = await openStream(edge.url);
    expect(first.response.headers['content-type']).toBe('text/event-stream');
    await eventually('ready', () => first.events[0]?.event === 'ready' || undefined);
    await test.call('store', { key: 'a', value: 1 });
    await test.call('store', { key: 'b', value: 1 });
    expect(await heard(first, 2)).toEqual(['a', 'b']);
    const lastId = first.events.at(-1)!.id!;
    first[Symbol.dispose]();
    await test.call('store', { key: 'c', value: 1 });
    await test.call('delete', { key: 'a' });
    using again = await openStream(edge.url, '?since=000000000000-1', { 'last-event-id': lastId });
    expect(await heard(again, 2)).toEqual(['c', 'a']);
    await test.call('store', { key: 'd', value: 1 });
    expect(await heard(again, 3)).toEqual(['c', 'a', 'd']);
  });

  it('filters, and says when a position is of no use any more', async () => {
    await using test = await openTestMemory();
    await using edge = await startEdge({}, 'custom', test.memory);
    const old = `${'0'.repeat(12)}-5`;
    using stream = await openStream(edge.url, `?since=${old}&prefix=a/&scope=shared`);
    await eventually('the reset', () => stream.events.find(({ event }) => event === 'reset'));
    await test.call('store', { key: 'a/1', value: 1, scope: 'coordinator' });
    await test.call('store', { key: 'b', value: 1 });
    await test.call('store', { key: 'a/2', value: 1 });
    expect(await heard(stream, 1)).toEqual(['a/2']);
  });

  it('answers JSON to who does not ask for events, and refuses what is no position', async () => {
    await using test = await openTestMemory();
    await using edge = await startEdge({}, 'custom', test.memory);
    const plain = await fetch(`${edge.url}/api/v1/memory-changes`);
    expect(plain.headers.get('content-type')).toMatch(/^application\/json/);
    using bad = await openStream(edge.url, '?since=never');
    expect(bad.response.statusCode).toBe(400);
    using extra = await openStream(edge.url, '?sinc=x');
    expect(extra.response.statusCode).toBe(400);
  });

  it('ends when the listeners drain', async () => {
    await using test = await openTestMemory();
    await using edge = await startEdge({}, 'custom', test.memory);
    using stream = await openStream(edge.url);
    await edge.drain(5000);
    expect(await eventually('the end', () => stream.isClosed() || undefined)).toBe(true);
  });

  it('reads no further than a slow client follows, and sends the rest when it does', async () => {
    await using test = await openTestMemory();
    const { next } = await test.call('changes', {});
    let pages = 0;
    await using slowEdge = await startEdge({}, 'custom', {
      call: (operation, input, caller) => {
        pages += 1;
        return test.memory.call(operation, input, caller);
      },
      onChange: (listener) => test.memory.onChange(listener),
    });
    const entries = Array.from({ length: 1000 }, (_, i) => ({ key: `${'long'.repeat(220)}/${i}`, value: 1 }));
    for (let round = 0; round < 12; round++)
      await test.call('store_many', { entries: entries.map(({ key }) => ({ key, value: round })) });
    using stream = await openStream(slowEdge.url, `?since=${next}`);
    stream.response.pause();
    let before = -1;
    // The kernel's buffers take some; then nothing more is read.
    while (before !== pages) {
      before = pages;
      for (let i = 0; i < 200; i++) await turn();
    }
    expect(pages).toBeLessThan(60);
    stream.response.resume();
    expect(await heard(stream, 12_000)).toHaveLength(12_000);
    expect(new Set(stream.events.map(({ id }) => id)).size).toBe(12_001);
  });

  it('drops who takes nothing for a minute', async () => {
    await using test = await openTestMemory();
    const { next } = await test.call('changes', {});
    const entries = Array.from({ length: 1000 }, (_, i) => ({ key: `${'long'.repeat(220)}/${i}`, value: 1 }));
    for (let round = 0; round < 12; round++)
      await test.call('store_many', { entries: entries.map(({ key }) => ({ key, value: round })) });
    const streams = new Set<Beating>();
    const keepAlive: KeepAlive = {
      add: (one) => void streams.add(one),
      remove: (one) => void streams.delete(one),
      addEndless: () => () => {},
      endAll() {},
      [Symbol.dispose]() {},
    };
    const { memory } = test;
    const takes = createChangeStreams({
      memory,
      access: createAccess(),
      keepAlive,
      logger: silentLogger,
      nextRequestId: () => 'r',
    });
    const server = createServer((request, response) => void takes(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    using stream = await openStream(`http://127.0.0.1:${port}`, `?since=${next}`);
    stream.response.pause();
    await eventually('the end of it', () => {
      for (const one of streams) one.beat();
      return streams.size === 0 || undefined;
    });
    expect(stream.events.length).toBeLessThan(12_000);
    server.close();
  });
});
