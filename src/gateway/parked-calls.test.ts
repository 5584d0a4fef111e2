import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import type { JsonObject, RpcRequest } from '../kernel/json-rpc.ts';
import type { Exchange } from './exchange.ts';
import { supports } from './forward.ts';
import { type Binding, type CallHooks, createParkedCalls } from './parked-calls.ts';

const binding: Binding = { principal: 'anonymous', mount: 'all', method: 'tools/call', name: 'ask' };
const question: RpcRequest = {
  jsonrpc: '2.0',
  id: 1,
  method: 'elicitation/create',
  params: { message: 'name?' },
};

function exchange(
  capabilities: JsonObject = { elicitation: {} },
  signal = new AbortController().signal,
): Exchange {
  return { era: 'modern', requestId: 'r', peer: { key: 'p', capabilities }, signal, notify() {} };
}

/** An upstream that asks once and answers with what it was told. */
async function askOnce(hooks: CallHooks): Promise<JsonObject> {
  const answer = await hooks.onRequest(question, hooks.signal);
  return { content: [], answer };
}

function setUp() {
  const clock = createFakeClock();
  return { clock, parked: createParkedCalls({ clock, ttlMs: 1000, supports }) };
}

describe('parked calls', () => {
  it('asks the client by input_required and goes on with its answer', async () => {
    const { parked } = setUp();
    const asked = await parked.turn(exchange(), binding, {}, askOnce);
    expect(asked).toMatchObject({
      resultType: 'input_required',
      inputRequests: { r1: { method: 'elicitation/create', params: { message: 'name?' } } },
    });
    expect(parked.size).toBe(1);
    const done = await parked.turn(
      exchange(),
      binding,
      { requestState: asked['requestState'], inputResponses: { r1: { action: 'accept' } } },
      askOnce,
    );
    expect(done).toEqual({ content: [], answer: { action: 'accept' } });
    expect(parked.size).toBe(0);
  });

  it('asks again for what was not answered', async () => {
    const { parked } = setUp();
    const asked = await parked.turn(exchange(), binding, {}, askOnce);
    const again = await parked.turn(
      exchange(),
      binding,
      { requestState: asked['requestState'], inputResponses: {} },
      askOnce,
    );
    expect(again).toMatchObject({ resultType: 'input_required', inputRequests: { r1: {} } });
  });

  it.each([
    ['tampered', (state: string) => `${state.slice(0, -2)}xx`],
    ['made up', () => 'abc.def'],
    ['empty', () => ''],
    ['no text', () => 7 as unknown as string],
  ])('refuses a %s handle', async (_, forge) => {
    const { parked } = setUp();
    const asked = await parked.turn(exchange(), binding, {}, askOnce);
    const requestState = forge(String(asked['requestState']));
    await expect(parked.turn(exchange(), binding, { requestState }, askOnce)).rejects.toMatchObject({
      code: 'STATE_EXPIRED',
    });
    expect(parked.size).toBe(1);
  });

  it.each([{ principal: 'eve' }, { mount: 'server:x' }, { name: 'other' }])(
    'refuses a handle under another binding %j',
    async (change) => {
      const { parked } = setUp();
      const { requestState } = await parked.turn(exchange(), binding, {}, askOnce);
      await expect(
        parked.turn(exchange(), { ...binding, ...change }, { requestState }, askOnce),
      ).rejects.toMatchObject({ code: 'STATE_EXPIRED' });
    },
  );

  it('forgets a client that never comes back, and tells the upstream', async () => {
    const { clock, parked } = setUp();
    let upstream: Promise<JsonObject> | undefined;
    const { requestState } = await parked.turn(
      exchange(),
      binding,
      {},
      (hooks) => (upstream = askOnce(hooks)),
    );
    clock.advance(1001);
    expect(parked.size).toBe(0);
    await expect(upstream).rejects.toMatchObject({ code: 'STATE_EXPIRED' });
    await expect(parked.turn(exchange(), binding, { requestState }, askOnce)).rejects.toMatchObject({
      code: 'STATE_EXPIRED',
    });
  });

  it('cancels the upstream when the waiting client leaves', async () => {
    const { parked } = setUp();
    const client = new AbortController();
    let aborted = false;
    const turn = parked.turn(exchange({}, client.signal), binding, {}, (hooks) => {
      hooks.signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    });
    client.abort();
    await expect(turn).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    expect(aborted).toBe(true);
  });

  it('does not ask a client that cannot answer', async () => {
    const { parked } = setUp();
    await expect(parked.turn(exchange({}), binding, {}, askOnce)).rejects.toMatchObject({
      code: 'METHOD_NOT_FOUND',
    });
  });
});
