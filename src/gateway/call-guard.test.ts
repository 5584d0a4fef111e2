import { describe, expect, it } from 'vitest';
import { type CallGuard, type GuardedCall, joinGuards } from '../kernel/call-guard.ts';
import { AppError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import { createScriptedUpstream } from '../../test/fixtures/scripted-upstream.ts';
import { startEdge } from '../../test/fixtures/http-edge.ts';

const tool = { name: 'echo', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } };

/** A coordinator of one server that answers with what it was called with. */
async function openEdge(guards: readonly CallGuard[]) {
  const upstream = createScriptedUpstream('legacy', {
    'tools/list': () => ({ tools: [tool] }),
    'tools/call': (params) => ({ content: [{ type: 'text', text: JSON.stringify(params['arguments']) }] }),
  });
  return await startEdge({ one: upstream }, undefined, undefined, undefined, { guard: joinGuards(guards) });
}

describe('the guard of calls', () => {
  it('sees who calls what, may change what goes in and what comes out, the first guard outermost', async () => {
    const seen: GuardedCall[] = [];
    const order: string[] = [];
    const outer: CallGuard = {
      name: 'outer',
      async run(call, next) {
        order.push('in');
        seen.push(call);
        const result = await next({ ...call, params: { ...call.params, arguments: { a: 2 } } });
        order.push('out');
        return { ...result, structuredContent: { seen: true } };
      },
    };
    const inner: CallGuard = {
      name: 'inner',
      run(call, next) {
        order.push(JSON.stringify(call.params['arguments']));
        return next(call);
      },
    };
    await using edge = await openEdge([outer, inner]);
    const response = await callTool(edge.url, { name: 'one__echo', arguments: { a: 1 } });
    expect(response['result']).toMatchObject({
      content: [{ text: '{"a":2}' }],
      structuredContent: { seen: true },
    });
    expect(order).toEqual(['in', '{"a":2}', 'out']);
    expect(seen).toMatchObject([
      {
        principal: { id: 'owner', tenant: 'default', role: 'owner' },
        method: 'tools/call',
        name: 'echo',
        mount: 'all',
        server: { id: 'one' },
        definition: tool,
        params: { name: 'echo', arguments: { a: 1 } },
      },
    ]);
  });

  it('ends a call with an error of its own, and no server hears of it', async () => {
    const guard: CallGuard = {
      name: 'no',
      run: () => Promise.reject(new AppError('FORBIDDEN', { problem: 'not today' })),
    };
    await using edge = await openEdge([guard]);
    const response = await callTool(edge.url, { name: 'one__echo' });
    expect(response['error']).toMatchObject({ data: { code: 'FORBIDDEN' } });
  });

  it('is none when there are none', () => {
    expect(joinGuards([])).toBeUndefined();
  });
});

async function callTool(url: string, params: JsonObject): Promise<JsonObject> {
  const version = '2026-07-28';
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': version,
      'mcp-method': 'tools/call',
      'mcp-name': String(params['name']),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta: meta } }),
  });
  return (await response.json()) as JsonObject;
}
