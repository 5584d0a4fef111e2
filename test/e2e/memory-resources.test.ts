import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientEra, connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let coordinator: RunningCoordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({ servers: 8 });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
});

const eras: ClientEra[] = ['legacy', 'modern'];

describe.each(eras)('memories as resources for a %s client', (era) => {
  it('have a template, and are read and completed by it', async () => {
    const client = await connectV2(coordinator.url, era);
    await client.callTool({ name: 'memory_store', arguments: { key: `${era}/แผน`, value: '# แผน' } });
    await client.callTool({ name: 'memory_store', arguments: { key: `${era}/data`, value: { a: 1 } } });
    const { resourceTemplates } = await client.listResourceTemplates();
    const template = resourceTemplates.find(({ name }) => name === 'memory');
    expect(template?.uriTemplate).toBe('memory://{scope}/{+key}');
    const text = await client.readResource({ uri: `memory://shared/${era}/${encodeURIComponent('แผน')}` });
    expect(text.contents).toEqual([
      {
        uri: `memory://shared/${era}/${encodeURIComponent('แผน')}`,
        mimeType: 'text/markdown',
        text: '# แผน',
      },
    ]);
    const json = await client.readResource({ uri: `memory://shared/${era}/data` });
    expect(json.contents[0]).toMatchObject({ mimeType: 'application/json', text: '{\n  "a": 1\n}' });
    const { completion } = await client.complete({
      ref: { type: 'ref/resource', uri: 'memory://{scope}/{+key}' },
      argument: { name: 'key', value: `${era}/d` },
      context: { arguments: { scope: 'shared' } },
    });
    expect(completion.values).toEqual([`${era}/data`]);
    await expect(client.readResource({ uri: 'memory://shared/never/there' })).rejects.toThrow(/not found/i);
    await client.close();
  });

  it('tell who subscribed that they changed, whoever changed them', async () => {
    const client = await connectV2(coordinator.url, era);
    const other = await connectV2(coordinator.url, era === 'legacy' ? 'modern' : 'legacy');
    const uri = `memory://shared/${era}/watched`;
    const heard: string[] = [];
    client.setNotificationHandler(
      'notifications/resources/updated',
      ({ params }) => void heard.push(params.uri),
    );
    const isModern = era === 'modern';
    const subscription = isModern ? await client.listen({ resourceSubscriptions: [uri] }) : undefined;
    if (!isModern) await client.subscribeResource({ uri });
    const stored = await other.callTool({
      name: 'memory_store',
      arguments: { key: `${era}/watched`, value: 1 },
    });
    expect(textOf(stored)).toContain('etag');
    await eventually('the update', () => (heard.includes(uri) ? true : undefined));
    heard.length = 0;
    const response = await fetch(`${coordinator.origin}/api/v1/memory/shared/${era}/watched`, {
      method: 'DELETE',
    });
    expect(response.status).toBe(200);
    await eventually('the update after the deletion', () => (heard.includes(uri) ? true : undefined));
    await subscription?.close();
    await client.close();
    await other.close();
  });
});
