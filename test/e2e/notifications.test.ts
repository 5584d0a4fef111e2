import {
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientEra, connectV1, connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { type HttpFixture, startHttpFixture, stdioFixture } from './start-fixture.ts';

let fixture: HttpFixture;
let coordinator: RunningCoordinator;

beforeAll(async () => {
  fixture = await startHttpFixture('both');
  coordinator = await startCoordinator({
    mcpServers: { child: stdioFixture('both'), remote: fixture.entry },
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await fixture?.[Symbol.asyncDispose]();
});

const eras: ClientEra[] = ['legacy', 'auto', 'modern'];
const upstreams = ['child', 'remote'];

describe.each(eras.flatMap((era) => upstreams.map((upstream) => [era, upstream] as const)))(
  'v2 %s client on %s',
  (era, upstream) => {
    it('hears of progress while it waits', async () => {
      const client = await connectV2(coordinator.url, era);
      const heard: unknown[] = [];
      await client.callTool(
        { name: `${upstream}__test_tool_with_progress`, arguments: {} },
        { onprogress: ({ progress, total }) => heard.push([progress, total]) },
      );
      expect(heard).toEqual([
        [0, 100],
        [50, 100],
        [100, 100],
      ]);
      await client.close();
    });

    it('cancels a call upstream', async () => {
      const client = await connectV2(coordinator.url, era);
      const count = async (): Promise<number> => {
        const { structuredContent } = await client.callTool({
          name: `${upstream}__cancellations`,
          arguments: {},
        });
        return (structuredContent as { count: number }).count;
      };
      const before = await count();
      const controller = new AbortController();
      const call = client.callTool(
        { name: `${upstream}__slow`, arguments: {} },
        // Its first progress says that the upstream has begun.
        { signal: controller.signal, onprogress: () => controller.abort(new Error('no longer needed')) },
      );
      await expect(call).rejects.toThrow();
      await eventually('the upstream to notice', async () => ((await count()) > before ? true : undefined));
      await client.close();
    });

    it('hears that a tool came and went, and finds it in the list', async () => {
      const client = await connectV2(coordinator.url, era);
      const heard: string[] = [];
      client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'));
      const subscription =
        client.getProtocolEra() === 'modern' ? await client.listen({ toolsListChanged: true }) : undefined;
      const names = async (): Promise<string[]> =>
        (await client.listTools(undefined, { cacheMode: 'bypass' })).tools.map((tool) => tool.name);
      const trigger = `${upstream}__test_trigger_tool_change`;
      const extra = `${upstream}__extra_tool`;
      const wasThere = (await names()).includes(extra);

      await client.callTool({ name: trigger, arguments: {} });
      await eventually('list_changed', () => (heard.length > 0 ? true : undefined));
      const isThere = await eventually('the new list', async () => {
        const now = (await names()).includes(extra);
        return now === wasThere ? undefined : { now };
      });
      expect(isThere.now).toBe(!wasThere);
      await subscription?.close();
      await client.close();
    });

    it('hears that a resource it subscribed to changed', async () => {
      const client = await connectV2(coordinator.url, era);
      const { resources } = await client.listResources();
      const watched = resources.find(
        ({ uri }) => uri.includes(upstream) && uri.endsWith('test://watched-resource'),
      );
      const uri = watched?.uri ?? '';
      const heard: string[] = [];
      client.setNotificationHandler(
        'notifications/resources/updated',
        ({ params }) => void heard.push(params.uri),
      );
      const isModern = client.getProtocolEra() === 'modern';
      const subscription = isModern ? await client.listen({ resourceSubscriptions: [uri] }) : undefined;
      if (!isModern) await client.subscribeResource({ uri });

      await eventually('an update', async () => {
        await client.callTool({ name: `${upstream}__touch_resource`, arguments: {} });
        return heard.length > 0 ? true : undefined;
      });
      expect(new Set(heard)).toEqual(new Set([uri]));

      if (!isModern) await client.unsubscribeResource({ uri });
      await subscription?.close();
      await client.close();
    });
  },
);

describe('logging', () => {
  const call = { name: 'child__test_tool_with_logging', arguments: {} };

  it('reaches a legacy client from the level it set', async () => {
    const client = await connectV2(coordinator.url, 'legacy');
    const heard: unknown[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => void heard.push(params.data));
    await client.setLoggingLevel('error');
    await client.callTool(call);
    expect(heard).toEqual([]);
    await client.setLoggingLevel('info');
    await client.callTool(call);
    expect(heard).toEqual(['Tool execution started', 'Tool processing data', 'Tool execution completed']);
    await client.close();
  });

  it('reaches a modern client only for the request that asked', async () => {
    const client = await connectV2(coordinator.url, 'modern');
    const heard: unknown[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => void heard.push(params.data));
    await client.callTool(call);
    expect(heard).toEqual([]);
    await client.callTool({ ...call, _meta: { 'io.modelcontextprotocol/logLevel': 'info' } });
    expect(heard).toHaveLength(3);
    await client.close();
  });
});

describe('v1 client', () => {
  it('hears log messages, changed lists and changed resources', async () => {
    const client = await connectV1(coordinator.url);
    const heard: string[] = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, () => void heard.push('log'));
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('tools'));
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, () => void heard.push('resource'));
    await client.setLoggingLevel('debug');
    const { resources } = await client.listResources();
    const watched = resources.find(
      ({ uri }) => uri.includes('child') && uri.endsWith('test://watched-resource'),
    );
    await client.subscribeResource({ uri: watched?.uri ?? '' });
    for (const name of ['test_logging_tool', 'test_trigger_tool_change', 'touch_resource']) {
      await client.callTool({ name: `child__${name}`, arguments: {} });
    }
    const kinds = await eventually('all three', () => {
      const distinct = new Set(heard);
      return distinct.size === 3 ? distinct : undefined;
    });
    expect(kinds).toEqual(new Set(['log', 'tools', 'resource']));
    await client.close();
  });

  it('answers elicitation, sampling and roots', async () => {
    const client = await connectV1(coordinator.url, {
      elicit: () => ({ name: 'Malee' }),
      sample: () => 'hello',
      roots: [{ uri: 'file:///a' }],
    });
    const result = await client.callTool({
      name: 'child__test_input_required_result_multiple_inputs',
      arguments: {},
    });
    expect(textOf(result)).toBe('Malee; LLM response: hello; 1 roots');
    await client.close();
  });
});
