import { afterEach, describe, expect, it } from 'vitest';
import { connectV2, textOf } from '../../../test/e2e/connect-client.ts';
import { startEdge } from '../../../test/fixtures/http-edge.ts';
import { createScriptedUpstream } from '../../../test/fixtures/scripted-upstream.ts';
import { isAppError } from '../../kernel/errors.ts';
import { createBundles } from './bundles.ts';
import { chooseTools } from './compile-bundle.ts';

const query = {
  name: 'run_query',
  description: 'Reads rows.',
  inputSchema: {
    type: 'object',
    properties: { sql: { type: 'string' }, database: { type: 'string', 'x-mcp-header': 'Database' } },
    required: ['sql', 'database'],
  },
};
const drop = { name: 'drop', inputSchema: { type: 'object' } };

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(bundles = createBundles()) {
  const upstream = createScriptedUpstream(
    'modern',
    {
      'tools/list': () => ({ resultType: 'complete', tools: [query, drop] }),
      'tools/call': ({ arguments: args }) => ({
        resultType: 'complete',
        content: [{ type: 'text', text: JSON.stringify(args) }],
      }),
      'resources/list': () => ({
        resultType: 'complete',
        resources: [{ uri: 'demo://secret', name: 'secret' }],
      }),
    },
    { tools: {}, resources: {} },
  );
  const edge = await startEdge({ shop: upstream }, 'database', undefined, 0, { bundles });
  closers.push(() => edge[Symbol.asyncDispose]());
  return { ...edge, upstream, bundles };
}

async function connect(url: string, era: 'legacy' | 'modern') {
  const client = await connectV2(url, era);
  closers.push(() => client.close());
  return client;
}

const tickets = {
  title: 'Tickets',
  description: 'What the support desk needs.',
  tools: [
    {
      tool: 'shop__run_query',
      name: 'find_ticket',
      description: 'Finds tickets.',
      arguments: { database: 'tickets.db' },
    },
  ],
};

describe.each(['legacy', 'modern'] as const)('/mcp/bundles/<name> for a %s client', (era) => {
  it('shows chosen tools only, renamed, and puts the settled arguments in', async () => {
    const { url, upstream } = await start(createBundles({ config: { tickets } }));
    const client = await connect(`${url}/mcp/bundles/tickets`, era);
    expect(client.getInstructions()).toBe('What the support desk needs.');
    expect(client.getServerCapabilities()).not.toHaveProperty('resources');
    const { tools } = await client.listTools();
    expect(tools).toEqual([
      {
        name: 'find_ticket',
        description: 'Finds tickets.',
        inputSchema: { type: 'object', properties: { sql: { type: 'string' } }, required: ['sql'] },
      },
    ]);
    const result = await client.callTool({ name: 'find_ticket', arguments: { sql: 'select 1' } });
    expect(JSON.parse(textOf(result))).toEqual({ sql: 'select 1', database: 'tickets.db' });
    expect(upstream.asked.at(-1)?.options.paramHeaders).toEqual({ database: 'tickets.db' });
  });

  it('lets no caller give a settled argument, or reach another tool', async () => {
    const { url, upstream } = await start(createBundles({ config: { tickets } }));
    const client = await connect(`${url}/mcp/bundles/tickets`, era);
    const forced = { name: 'find_ticket', arguments: { sql: 'x', database: 'salaries.db' } };
    await expect(client.callTool(forced)).rejects.toThrow(
      /arguments\.database: is set by the bundle|Mcp-Param-database/,
    );
    for (const name of ['shop__run_query', 'shop__drop', 'run_query', 'drop'])
      await expect(client.callTool({ name, arguments: {} })).rejects.toThrow(/unknown tool/);
    expect(upstream.asked).toEqual([]);
  });

  it('can be searched', async () => {
    const { url } = await start(createBundles({ config: { tickets } }));
    const client = await connect(`${url}/mcp/bundles/tickets?tools=search`, era);
    const found = await client.callTool({ name: 'find_tools', arguments: { query: 'ticket' } });
    expect(textOf(found)).toContain('"name":"find_ticket"');
    expect(textOf(found)).not.toContain('database?');
    const call = { name: 'call_tool', arguments: { name: 'find_ticket', arguments: { sql: 's' } } };
    expect(JSON.parse(textOf(await client.callTool(call)))).toEqual({ sql: 's', database: 'tickets.db' });
  });
});

describe('bundles', () => {
  it('choose by the beginning of a name, the first of a name stays, and say what is missing', async () => {
    const { gateway } = await start();
    const settings = {
      tools: [
        { tool: 'shop__drop', title: 'Away' },
        { tool: 'shop__*' },
        { tool: 'gone__*' },
        { tool: 'gone' },
      ],
    };
    const { chosen, missing } = chooseTools(
      { ...settings, name: 'b', source: 'added' },
      gateway.mounts.view('all'),
    );
    expect(chosen.map(({ name }) => name)).toEqual(['shop__drop', 'shop__run_query']);
    expect(missing).toEqual(['gone__*', 'gone']);
  });

  it('change while clients are connected, and end their sessions when they go', async () => {
    const { url, bundles } = await start();
    await bundles.put('ops', { tools: [{ tool: 'shop__drop' }] });
    const client = await connect(`${url}/mcp/bundles/ops`, 'legacy');
    const told = new Promise<void>((resolve) => {
      client.setNotificationHandler('notifications/tools/list_changed', () => resolve());
    });
    await bundles.put('ops', { tools: [{ tool: 'shop__*' }] });
    await told;
    expect((await client.listTools()).tools).toHaveLength(2);
    await bundles.remove('ops');
    await expect(client.listTools()).rejects.toThrow();
    const gone = await fetch(`${url}/mcp/bundles/ops`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}',
    });
    expect(await gone.text()).toContain('bundle not found: ops');
  });

  it('of the config are changed there only', async () => {
    const bundles = createBundles({ config: { tickets } });
    await expect(bundles.put('tickets', { tools: [] })).rejects.toSatisfy((error) =>
      isAppError(error, 'INVALID_INPUT'),
    );
    await expect(bundles.remove('tickets')).rejects.toThrow(/config file/);
    await expect(bundles.remove('none')).rejects.toThrow(/bundle not found/);
  });
});
