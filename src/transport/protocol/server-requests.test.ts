import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import type { CancelSignal } from '../../kernel/cancel.ts';
import type { JsonObject, RpcResponse } from '../../kernel/json-rpc.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { RequestOptions } from '../connection.ts';
import { createCalls } from './calls.ts';
import { createServerRequests, findOwner } from './server-requests.ts';

function setUp() {
  const send = vi.fn<(response: RpcResponse) => void>();
  const calls = createCalls({
    server: 's',
    clock: systemClock,
    onAbandon() {},
    onSettle: (call) => requests.dropOwner(call),
  });
  const requests = createServerRequests({ server: 's', calls, send });
  const start = (key: string | undefined, onRequest?: RequestOptions['onRequest']) => {
    const options = {
      ...(key !== undefined && { peer: { key, capabilities: {} } }),
      ...(onRequest && { onRequest }),
    };
    calls.run('tools/call', undefined, options, () => {}).catch(() => {});
    return calls.inFlight().at(-1)!;
  };
  return { send, calls, requests, start };
}

const elicit = { jsonrpc: '2.0', id: 7, method: 'elicitation/create' } as const;
const answers = (text: string) => async () => ({ text });

describe('findOwner', () => {
  const isCandidate = (call: { options: RequestOptions }) => call.options.onRequest !== undefined;

  it('takes the most recent call of the only client', () => {
    const { calls, start } = setUp();
    start('a', answers('1'));
    const second = start('a', answers('2'));
    start('a');
    expect(findOwner(calls.inFlight(), isCandidate)).toEqual({ kind: 'owner', call: second });
  });

  it('finds nobody where nobody can be asked', () => {
    const { calls, start } = setUp();
    expect(findOwner(calls.inFlight(), isCandidate)).toEqual({ kind: 'none' });
    start('a');
    expect(findOwner(calls.inFlight(), isCandidate)).toEqual({ kind: 'none' });
  });

  it('does not choose between clients, even where only one of them could answer', () => {
    const { calls, start } = setUp();
    start('b');
    start('a', answers('1'));
    expect(findOwner(calls.inFlight(), isCandidate)).toEqual({ kind: 'ambiguous' });
  });

  it('is not disturbed by requests of the gateway itself', () => {
    const { calls, start } = setUp();
    const call = start('a', answers('1'));
    start(undefined);
    expect(findOwner(calls.inFlight(), isCandidate)).toEqual({ kind: 'owner', call });
  });
});

describe('createServerRequests', () => {
  it('brings the answer of the client to the upstream', async () => {
    const { send, requests, start } = setUp();
    start('a', answers('yes'));
    requests.handle(elicit);
    await vi.waitFor(() =>
      expect(send).toHaveBeenCalledWith({ jsonrpc: '2.0', id: 7, result: { text: 'yes' } }),
    );
  });

  it('refuses when it is not clear who is meant', () => {
    const { send, requests, start } = setUp();
    start('a', answers('1'));
    start('b', answers('2'));
    requests.handle(elicit);
    expect(send.mock.calls[0]![0].error?.data).toMatchObject({
      code: 'CLIENT_AMBIGUOUS',
      method: 'elicitation/create',
    });
  });

  it('asks the owner of the stream, whoever else is in flight', async () => {
    const { send, requests, start } = setUp();
    const owner = start('a', answers('mine'));
    start('b', answers('other'));
    requests.handle(elicit, owner);
    await vi.waitFor(() => expect(send.mock.calls[0]?.[0].result).toEqual({ text: 'mine' }));
  });

  it('passes an error code of ours on, and hides what is unexpected', async () => {
    const { send, requests, start } = setUp();
    const first = start('a', async () => {
      throw new AppError('CLIENT_GONE', { method: 'elicitation/create' });
    });
    requests.handle(elicit, first);
    await vi.waitFor(() =>
      expect(send.mock.calls[0]?.[0].error?.data).toMatchObject({ code: 'CLIENT_GONE' }),
    );
  });

  it.each([
    ['the call is over', (t: ReturnType<typeof setUp>) => t.calls.rejectAll('gone')],
    ['the upstream takes it back', (t: ReturnType<typeof setUp>) => t.requests.cancel(7)],
    ['the link closes', (t: ReturnType<typeof setUp>) => t.requests.close()],
  ])('stops asking when %s', async (_, stop) => {
    const t = setUp();
    const { promise, resolve } = Promise.withResolvers<JsonObject>();
    let signal: CancelSignal | undefined;
    t.start('a', async (__, given) => {
      signal = given;
      return await promise;
    });
    t.requests.handle(elicit);
    stop(t);
    expect(signal?.aborted).toBe(true);
    resolve({ late: true });
    await promise;
    expect(t.send).not.toHaveBeenCalled();
  });
});
