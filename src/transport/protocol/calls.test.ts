import { describe, expect, it, vi } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import type { JsonObject, RpcNotification } from '../../kernel/json-rpc.ts';
import type { RequestOptions } from '../connection.ts';
import { type Call, type CallsDependencies, createCalls } from './calls.ts';

function setUp() {
  const clock = createFakeClock();
  const onAbandon = vi.fn<CallsDependencies<unknown>['onAbandon']>();
  const onSettle = vi.fn<(call: Call) => void>();
  const calls = createCalls({ server: 's', clock, onAbandon, onSettle });
  const start = (options: RequestOptions = {}, params?: JsonObject) => {
    let call: Call | undefined;
    const outcome = calls
      .run('tools/call', params, options, (opened) => {
        call = opened;
        opened.sent = true;
      })
      .catch((error: unknown) => error);
    return { call: call!, outcome };
  };
  return { clock, calls, onAbandon, onSettle, start };
}

const progress = (token: unknown): RpcNotification => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: token, progress: 1 },
});

describe('createCalls', () => {
  it('settles a call once, whatever comes later', async () => {
    const { calls, start, onSettle, onAbandon, clock } = setUp();
    const { call, outcome } = start();
    expect(calls.answer({ jsonrpc: '2.0', id: call.id, result: { n: 1 } })).toBe(true);
    expect(calls.answer({ jsonrpc: '2.0', id: call.id, result: { n: 2 } })).toBe(false);
    calls.rejectAll('gone');
    clock.advance(1e9);
    expect(await outcome).toEqual({ n: 1 });
    expect(onSettle).toHaveBeenCalledTimes(1);
    expect(onAbandon).not.toHaveBeenCalled();
  });

  it.each([
    ['no result and no error', { jsonrpc: '2.0' }, { code: 'UPSTREAM_PROTOCOL' }],
    ['a result that is no object', { jsonrpc: '2.0', result: 5 }, { code: 'UPSTREAM_PROTOCOL' }],
    [
      'an error without a code',
      { jsonrpc: '2.0', error: { message: 'm' } },
      { name: 'RpcError', code: -32603, message: 'm' },
    ],
  ])('rejects an answer with %s', async (_, answer, expected) => {
    const { calls, start } = setUp();
    const { call, outcome } = start();
    calls.answer({ ...answer, id: call.id });
    expect(await outcome).toMatchObject(expected);
  });

  it('counts the time from the last progress', async () => {
    const { calls, start, clock, onAbandon } = setUp();
    const onNotification = vi.fn<(notification: RpcNotification) => void>();
    const { call, outcome } = start({ timeoutMs: 100, onNotification }, { _meta: { progressToken: 'mine' } });
    clock.advance(99);
    expect(calls.progress(progress(call.id))).toBe(true);
    clock.advance(99);
    expect(onAbandon).not.toHaveBeenCalled();
    clock.advance(1);
    expect(await outcome).toMatchObject({ code: 'UPSTREAM_TIMEOUT', data: { timeoutMs: 100 } });
    expect(onAbandon).toHaveBeenCalledWith(expect.objectContaining({ id: call.id }), 'timeout');
    expect(onNotification.mock.calls).toEqual([[progress('mine')]]);
  });

  it('does not count the time in which people are asked', async () => {
    const { calls, start, clock, onAbandon } = setUp();
    const { call, outcome } = start({ timeoutMs: 100 });
    const [first, second] = [calls.hold(call), calls.hold(call)];
    clock.advance(500_000);
    first();
    clock.advance(50_000);
    expect(onAbandon).not.toHaveBeenCalled();
    second();
    clock.advance(99);
    expect(onAbandon).not.toHaveBeenCalled();
    clock.advance(101);
    expect(await outcome).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  it('does not wait for people for ever', async () => {
    const { calls, start, clock } = setUp();
    const { call, outcome } = start({ timeoutMs: 100 });
    calls.hold(call);
    clock.advance(600_100);
    expect(await outcome).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  it('takes an endless timeout for a very long one', () => {
    const { start, clock, onAbandon } = setUp();
    start({ timeoutMs: Number.POSITIVE_INFINITY });
    clock.advance(1e9);
    expect(onAbandon).not.toHaveBeenCalled();
  });

  it('gives no progress to a call that wanted none', () => {
    const { calls, start } = setUp();
    const onNotification = vi.fn<(notification: RpcNotification) => void>();
    const { call } = start({ onNotification });
    expect(calls.progress(progress(call.id))).toBe(false);
    expect(calls.progress(progress('unknown'))).toBe(false);
    expect(onNotification).not.toHaveBeenCalled();
  });

  it('tells what was sent from what was not', async () => {
    const { calls, start } = setUp();
    const sent = start();
    const unsent = start();
    unsent.call.sent = false;
    calls.rejectAll('gone');
    expect(await sent.outcome).toMatchObject({ code: 'UPSTREAM_FAILED' });
    expect(await unsent.outcome).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(calls.inFlight()).toEqual([]);
  });

  it('keeps no listener on a signal that outlives the call', async () => {
    const { calls, start } = setUp();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, 'removeEventListener');
    const { call, outcome } = start({ signal });
    calls.answer({ jsonrpc: '2.0', id: call.id, result: {} });
    await outcome;
    expect(remove).toHaveBeenCalledTimes(1);
  });
});
