import { describe, expect, it, vi } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import { type JsonObject, RpcError, type RpcNotification } from '../../kernel/json-rpc.ts';
import { metaKeys } from '../../kernel/protocol.ts';
import { createListen, type ListenHandlers } from './listen.ts';

interface FakeStream extends ListenHandlers {
  readonly filter: JsonObject;
  isClosed: boolean;
}

function setUp(capabilities: JsonObject = { tools: { listChanged: true }, resources: { subscribe: true } }) {
  const clock = createFakeClock();
  const streams: FakeStream[] = [];
  const onNotification = vi.fn<(notification: RpcNotification) => void>();
  const listen = createListen({
    capabilities,
    clock,
    onNotification,
    open(params, handlers) {
      const stream = { ...handlers, filter: params['notifications'] as JsonObject, isClosed: false };
      streams.push(stream);
      return () => {
        stream.isClosed = true;
      };
    },
  });
  const acknowledge = (stream: FakeStream) => stream.onAcknowledged(stream.filter);
  return { clock, streams, onNotification, listen, acknowledge };
}

const updated = (uri: string): RpcNotification => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri, _meta: { [metaKeys.subscriptionId]: 5 } },
});
const toolsChanged: RpcNotification = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };

describe('createListen', () => {
  it('listens for the lists that the server announces, and for nothing where it announces none', () => {
    const { listen, streams } = setUp();
    listen.start();
    expect(streams.map((stream) => stream.filter)).toEqual([{ toolsListChanged: true }]);
    const silent = setUp({ tools: {} });
    silent.listen.start();
    expect(silent.streams).toEqual([]);
  });

  it('replaces the stream by a wider one without a gap', async () => {
    const { listen, streams, acknowledge, onNotification } = setUp();
    listen.start();
    acknowledge(streams[0]!);
    const both = Promise.all([listen.add('a:1'), listen.add('b:2')]);
    await vi.waitFor(() => expect(streams).toHaveLength(2));
    expect(streams[1]!.filter).toEqual({ toolsListChanged: true, resourceSubscriptions: ['a:1', 'b:2'] });
    streams[0]!.onNotification(toolsChanged);
    expect(streams[0]!.isClosed).toBe(false);
    acknowledge(streams[1]!);
    await both;
    expect(streams[0]!.isClosed).toBe(true);
    streams[1]!.onNotification(updated('a:1'));
    expect(onNotification.mock.calls.map(([notification]) => notification)).toEqual([
      toolsChanged,
      { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'a:1' } },
    ]);
  });

  it('narrows again when a resource is dropped, and hangs up when nothing is left', async () => {
    const { listen, streams, acknowledge } = setUp({ resources: { subscribe: true } });
    const added = Promise.all([listen.add('a:1'), listen.add('b:2')]);
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    acknowledge(streams[0]!);
    await added;
    listen.remove('a:1');
    listen.remove('never:there');
    expect(streams[1]!.filter).toEqual({ resourceSubscriptions: ['b:2'] });
    acknowledge(streams[1]!);
    listen.remove('b:2');
    expect(streams.map((stream) => stream.isClosed)).toEqual([true, true]);
  });

  it('rejects a resource that the server does not honour', async () => {
    const { listen, streams } = setUp();
    const added = listen.add('a:1').catch((error: unknown) => error);
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    streams[0]!.onAcknowledged({ toolsListChanged: true });
    expect(await added).toMatchObject({ code: 'METHOD_NOT_FOUND' });
  });

  it('reopens with growing delays, and tells what may have been missed', () => {
    const { listen, streams, acknowledge, clock, onNotification } = setUp();
    listen.start();
    acknowledge(streams[0]!);
    streams[0]!.onEnd();
    clock.advance(999);
    expect(streams).toHaveLength(1);
    clock.advance(1);
    streams[1]!.onEnd(new Error('broken'));
    clock.advance(1999);
    expect(streams).toHaveLength(2);
    clock.advance(1);
    expect(onNotification).not.toHaveBeenCalled();
    acknowledge(streams[2]!);
    expect(onNotification.mock.calls).toEqual([[toolsChanged]]);
  });

  it('asks a server ever more rarely that ends each stream at once, and soon again after a long one', () => {
    const { listen, streams, acknowledge, clock } = setUp();
    listen.start();
    const endAfter = (livedMs: number, expectedDelayMs: number) => {
      const stream = streams.at(-1)!;
      acknowledge(stream);
      clock.advance(livedMs);
      stream.onEnd();
      const before = streams.length;
      clock.advance(expectedDelayMs - 1);
      expect(streams).toHaveLength(before);
      clock.advance(1);
      expect(streams).toHaveLength(before + 1);
    };
    for (const delayMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) endAfter(0, delayMs);
    endAfter(60_000, 1000);
  });

  it('does not ask again for what the server does not have', async () => {
    const { listen, streams, clock } = setUp();
    listen.start();
    streams[0]!.onEnd(new RpcError({ code: -32601, message: 'no' }));
    clock.advance(1e6);
    expect(streams).toHaveLength(1);
    const added = listen.add('a:1').catch((error: unknown) => error);
    await vi.waitFor(() => expect(streams).toHaveLength(2));
    streams[1]!.onEnd(new RpcError({ code: -32601, message: 'no' }));
    expect(await added).toMatchObject({ code: -32601 });
  });

  it('does not reopen what was granted nothing', () => {
    const { listen, streams, clock } = setUp();
    listen.start();
    streams[0]!.onAcknowledged({});
    streams[0]!.onEnd();
    clock.advance(1e6);
    expect(streams).toHaveLength(1);
  });

  it('is over when closed', async () => {
    const { listen, streams, clock, acknowledge } = setUp();
    listen.start();
    acknowledge(streams[0]!);
    const added = listen.add('a:1').catch((error: unknown) => error);
    listen.close();
    expect(await added).toMatchObject({ code: 'REQUEST_CANCELLED' });
    expect(streams[0]!.isClosed).toBe(true);
    streams[0]!.onEnd();
    clock.advance(1e6);
    expect(streams).toHaveLength(1);
  });
});
