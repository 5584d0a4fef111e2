import { afterEach, describe, expect, it } from 'vitest';
import { startEdge } from '../../../test/fixtures/http-edge.ts';
import { createScriptedUpstream, type ScriptedUpstream } from '../../../test/fixtures/scripted-upstream.ts';
import { connectV2, textOf } from '../../../test/e2e/connect-client.ts';
import { eventually } from '../../../test/e2e/eventually.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { estimateTokens } from '../../kernel/text/token-budget.ts';

const query = {
  name: 'run_query',
  title: 'Run a query',
  description: 'Reads rows of a database with SQL. Only SELECT.',
  inputSchema: {
    type: 'object',
    properties: { sql: { type: 'string', description: 'The statement.' }, limit: { type: 'integer' } },
    required: ['sql'],
    additionalProperties: false,
  },
};
const noise = Array.from({ length: 200 }, (_, n) => ({
  name: `report_${n}`,
  description: `Makes report number ${n}. `.repeat(20),
  inputSchema: { type: 'object' },
}));

/** Resolved when the upstream is told that a call is cancelled. */
let cancelled = Promise.withResolvers<void>();

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  cancelled = Promise.withResolvers<void>();
  for (const close of closers.splice(0).toReversed()) await close();
});

function databaseUpstream(tools: readonly JsonObject[] = [query, ...noise]): ScriptedUpstream {
  return createScriptedUpstream('legacy', {
    'tools/list': () => ({ tools }),
    'tools/call': async ({ arguments: args, _meta: meta }, { onNotification, onRequest, signal }) => {
      const { progressToken } = (meta ?? {}) as JsonObject;
      if (progressToken !== undefined) {
        const params = { progressToken, progress: 1 };
        onNotification?.({ jsonrpc: '2.0', method: 'notifications/progress', params });
      }
      if ((args as JsonObject)['sql'] === 'wait') {
        await new Promise((resolve) => signal?.addEventListener('abort', () => resolve(undefined)));
        cancelled.resolve();
      }
      if ((args as JsonObject)['sql'] === 'ask') {
        const params = { message: 'your name?', requestedSchema: { type: 'object', properties: {} } };
        const request = { jsonrpc: '2.0', id: 1, method: 'elicitation/create', params } as const;
        const answer = await onRequest?.(request, new AbortController().signal);
        return { content: [{ type: 'text', text: JSON.stringify(answer?.['content']) }] };
      }
      return { content: [{ type: 'text', text: `rows of ${String((args as JsonObject)['sql'])}` }] };
    },
  });
}

async function start(upstreams: Record<string, ScriptedUpstream>) {
  const edge = await startEdge(upstreams, 'database');
  closers.push(() => edge[Symbol.asyncDispose]());
  return edge;
}

async function connect(url: string, era: 'legacy' | 'modern', elicit?: () => Record<string, unknown>) {
  const client = await connectV2(url, era, elicit ? { elicit } : {});
  closers.push(() => client.close());
  return client;
}

describe.each(['legacy', 'modern'] as const)('?tools=search for a %s client', (era) => {
  it('lists three tools, and finds, describes and calls the others', async () => {
    const database = databaseUpstream();
    const edge = await start({ shop: database });
    const client = await connect(`${edge.url}/mcp?tools=search`, era);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['find_tools', 'describe_tool', 'call_tool']);
    expect(client.getInstructions()).toContain('find_tools');

    const found = await client.callTool({
      name: 'find_tools',
      arguments: { query: 'read rows from the db' },
    });
    const { tools: hits } = found.structuredContent as { tools: JsonObject[] };
    expect(hits[0]).toMatchObject({
      name: 'shop__run_query',
      server: 'shop',
      category: 'database',
      parameters: 'sql: string, limit?: integer',
    });

    const names = ['shop__run_query', 'nothing'];
    const described = await client.callTool({ name: 'describe_tool', arguments: { names } });
    expect(described.structuredContent).toEqual({
      tools: [{ ...query, name: 'shop__run_query' }],
      unknown: ['nothing'],
    });

    const result = await client.callTool({
      name: 'call_tool',
      arguments: { name: 'shop__run_query', arguments: { sql: 'select 1' } },
    });
    expect(textOf(result)).toBe('rows of select 1');
    expect(database.asked.at(-1)?.params).toMatchObject({
      name: 'run_query',
      arguments: { sql: 'select 1' },
    });
  });

  it('says what is wrong with arguments, quotes the schema, and sends nothing', async () => {
    const database = databaseUpstream();
    const edge = await start({ shop: database });
    const client = await connect(`${edge.url}/mcp?tools=search`, era);
    const wrong = await client.callTool({
      name: 'call_tool',
      arguments: { name: 'shop__run_query', arguments: { sql: 7, rows: 1 } },
    });
    expect(wrong.isError).toBe(true);
    expect(textOf(wrong)).toContain('- sql: ');
    expect(textOf(wrong)).toContain(JSON.stringify(query.inputSchema));
    const unknown = await client.callTool({ name: 'call_tool', arguments: { name: 'query' } });
    expect(textOf(unknown)).toContain('shop__run_query');
    const outer = await client.callTool({ name: 'find_tools', arguments: { limit: 'many' } });
    expect(textOf(outer)).toContain('The arguments do not fit find_tools');
    expect(database.asked).toEqual([]);
  });

  it("brings a server's question to the client and the answer back", async () => {
    const edge = await start({ shop: databaseUpstream() });
    const client = await connect(`${edge.url}/mcp?tools=search`, era, () => ({ name: 'Nok' }));
    const result = await client.callTool({
      name: 'call_tool',
      arguments: { name: 'shop__run_query', arguments: { sql: 'ask' } },
    });
    expect(textOf(result)).toBe('{"name":"Nok"}');
  });

  it('passes progress on', async () => {
    const edge = await start({ shop: databaseUpstream() });
    const client = await connect(`${edge.url}/mcp?tools=search`, era);
    const progress: number[] = [];
    await client.callTool(
      { name: 'call_tool', arguments: { name: 'shop__run_query', arguments: { sql: 'select 1' } } },
      { onprogress: (one) => progress.push(one.progress) },
    );
    expect(progress).toEqual([1]);
  });

  it('passes a cancellation on', async () => {
    const edge = await start({ shop: databaseUpstream() });
    const client = await connect(`${edge.url}/mcp?tools=search`, era);
    const controller = new AbortController();
    const call = { name: 'call_tool', arguments: { name: 'shop__run_query', arguments: { sql: 'wait' } } };
    const calling = client.callTool(call, { signal: controller.signal });
    await eventually('the call has begun', () => edge.pool.get('shop')?.counters.calls || undefined);
    controller.abort();
    await expect(calling).rejects.toThrow();
    await cancelled.promise;
  });

  it('stays within a token budget, and filters', async () => {
    const edge = await start({ shop: databaseUpstream(), other: databaseUpstream([query]) });
    const client = await connect(`${edge.url}/mcp?tools=search`, era);
    const find = async (args: JsonObject) => {
      const result = await client.callTool({ name: 'find_tools', arguments: args });
      expect(estimateTokens(textOf(result))).toBeLessThanOrEqual(Number(args['maxTokens'] ?? 1500));
      return result.structuredContent as { tools: JsonObject[]; found: number; servers?: JsonObject[] };
    };
    const reports = await find({ query: 'report', limit: 50, maxTokens: 600 });
    expect(reports.found).toBe(200);
    expect(reports.tools.length).toBeGreaterThan(0);
    const other = await find({ query: 'query', server: 'other' });
    expect(other.tools.map(({ name }) => name)).toEqual(['other__run_query']);
    expect((await find({ query: 'query', category: 'iot' })).tools).toEqual([]);
    const overview = await find({});
    expect(overview.servers).toEqual([
      { server: 'shop', title: 'shop', category: 'database', tools: 201 },
      { server: 'other', title: 'other', category: 'database', tools: 1 },
    ]);
  });
});

describe('search mode', () => {
  it('follows the catalog and tells no client of it, for the listed tools stay the same', async () => {
    const tools: JsonObject[] = [query];
    const database = databaseUpstream(tools);
    const edge = await start({ shop: database });
    const search = await connect(`${edge.url}/mcp?tools=search`, 'legacy');
    const plain = await connect(`${edge.url}/mcp`, 'legacy');
    const told: string[] = [];
    search.setNotificationHandler('notifications/tools/list_changed', () => void told.push('search'));
    const plainTold = new Promise<void>((resolve) => {
      plain.setNotificationHandler('notifications/tools/list_changed', () => resolve());
    });
    tools.push({ name: 'send_mail', description: 'Sends a mail.', inputSchema: { type: 'object' } });
    database.events?.onNotification?.({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    await plainTold;
    const found = await search.callTool({ name: 'find_tools', arguments: { query: 'mail' } });
    expect(textOf(found)).toContain('shop__send_mail');
    expect(told).toEqual([]);
  });

  it('shows instances of one definition once, with the names of the others', async () => {
    const edge = await start({ shop: databaseUpstream([query]) });
    const spec = edge.pool.get('shop')!.spec;
    const twin = await edge.pool.add({ ...spec, id: 'twin', alias: 'twin', port: 4999 });
    expect(twin.listing).toBeDefined();
    const client = await connect(`${edge.url}/mcp?tools=search`, 'legacy');
    const found = await client.callTool({ name: 'find_tools', arguments: { query: 'rows' } });
    const { tools } = found.structuredContent as { tools: JsonObject[] };
    expect(tools).toMatchObject([{ name: 'shop__run_query', also: 'twin__run_query' }]);
  });

  it('works on categories and single servers, and refuses another mode', async () => {
    const edge = await start({ shop: databaseUpstream() });
    for (const path of ['categories/database', 'servers/shop']) {
      const client = await connect(`${edge.url}/mcp/${path}?tools=search`, 'legacy');
      const found = await client.callTool({ name: 'find_tools', arguments: { query: 'sql' } });
      expect(textOf(found)).toContain('run_query');
    }
    const refused = await fetch(`${edge.url}/mcp?tools=all`, { method: 'POST' });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('must be list or search');
  });
});
