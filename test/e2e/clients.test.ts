import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientEra, connectV1, connectV2, textOf } from './connect-client.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { type HttpFixture, startHttpFixture, stdioFixture } from './start-fixture.ts';

let fixture: HttpFixture;
let coordinator: RunningCoordinator;

beforeAll(async () => {
  fixture = await startHttpFixture('both');
  coordinator = await startCoordinator({
    servers: 3,
    mcpServers: { child: stdioFixture('both'), remote: fixture.entry },
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await fixture?.[Symbol.asyncDispose]();
});

const eras: ClientEra[] = ['legacy', 'auto', 'modern'];
const upstreams = ['child', 'remote'];

/** Tools, prompts and resources that clients of every kind must be able to use in the same way. */
type AnyClient = Pick<
  Client,
  | 'listTools'
  | 'callTool'
  | 'listPrompts'
  | 'getPrompt'
  | 'listResources'
  | 'readResource'
  | 'close'
  | 'complete'
>;

const connectors: [string, () => Promise<AnyClient>][] = [
  ['v1', async () => (await connectV1(coordinator.url)) as unknown as AnyClient],
  ...eras.map((era): [string, () => Promise<AnyClient>] => [
    `v2 ${era}`,
    () => connectV2(coordinator.url, era),
  ]),
];

/** Every entry of a list, page after page. */
async function allPages<T>(
  list: (cursor?: string) => Promise<{ nextCursor?: string; items: T[] }>,
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}

describe.each(connectors)('%s client', (_, connect) => {
  let client: AnyClient;
  beforeAll(async () => {
    client = await connect();
  });
  afterAll(async () => client?.close());

  it('lists the tools of every server, memory tools under plain names', async () => {
    const tools = await allPages(async (cursor) => {
      const { tools: items, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor });
      return { items, nextCursor };
    });
    const names = tools.map((tool) => tool.name);
    expect(names).toContain('memory_store');
    for (const upstream of upstreams) expect(names).toContain(`${upstream}__json_schema_2020_12_tool`);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });

  it.each(upstreams)('calls %s', async (upstream) => {
    const text = 'ทดสอบ 🐘 "quotes" \\ \u2028';
    const result = await client.callTool({ name: `${upstream}__echo`, arguments: { text } });
    expect(result.structuredContent).toEqual({ text });
    expect(textOf(result)).toBe(text);
  });

  it('passes a large text through', async () => {
    const text = 'ก'.repeat(300_000);
    const result = await client.callTool({ name: 'child__echo', arguments: { text } });
    expect(result.structuredContent).toEqual({ text });
  });

  it.each(upstreams)('gets the own error of a tool of %s as a result', async (upstream) => {
    const result = await client.callTool({ name: `${upstream}__test_error_handling`, arguments: {} });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toBe('This tool intentionally returns an error for testing');
  });

  it('gets an error for a tool that nobody has', async () => {
    await expect(client.callTool({ name: 'nobody__nothing', arguments: {} })).rejects.toMatchObject({
      code: -32602,
    });
  });

  it.each(upstreams)('gets prompts of %s', async (upstream) => {
    const { prompts } = await client.listPrompts();
    expect(prompts.map((prompt) => prompt.name)).toContain(`${upstream}__test_prompt_with_arguments`);
    const prompt = await client.getPrompt({
      name: `${upstream}__test_prompt_with_arguments`,
      arguments: { arg1: 'hello', arg2: 'โลก' },
    });
    expect(prompt.messages[0]?.content).toEqual({
      type: 'text',
      text: "Prompt with arguments: arg1='hello', arg2='โลก'",
    });
  });

  it.each(upstreams)(
    'reads resources of %s by the URI it lists and by the URI in a link',
    async (upstream) => {
      const { resources } = await client.listResources();
      const listed = resources
        .filter((resource) => resource.uri.endsWith('test://static-text'))
        .map(({ uri }) => uri);
      expect(new Set(listed).size).toBe(upstreams.length);

      const link = (await client.callTool({ name: `${upstream}__test_resource_link`, arguments: {} }))
        .content[0];
      const uri = link?.type === 'resource_link' ? link.uri : '';
      expect(listed).toContain(uri);
      const { contents } = await client.readResource({ uri });
      expect(contents).toEqual([
        { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
      ]);
    },
  );

  it('gets an error for a resource that nobody has', async () => {
    await expect(client.readResource({ uri: 'test://nowhere' })).rejects.toThrow();
  });

  it.each(upstreams)('completes arguments of %s', async (upstream) => {
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: `${upstream}__test_prompt_with_arguments` },
      argument: { name: 'arg1', value: 'par' },
    });
    expect(completion.values).toEqual(['paris', 'park', 'party']);
  });
});
