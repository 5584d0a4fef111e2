import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changePositionKey } from '../../src/kernel/protocol.ts';
import { type ClientEra, connectV2 } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let coordinator: RunningCoordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({ servers: 8 });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
});

interface ChangesAnswer {
  readonly changes: readonly { readonly key: string; readonly position: string }[];
  readonly next: string;
  readonly reset: boolean;
}

const eras: ClientEra[] = ['legacy', 'modern'];

describe.each(eras)('a %s client that comes and goes', (era) => {
  it('catches up from the position of the last update it heard', async () => {
    const other = await connectV2(coordinator.url, era);
    const store = (key: string, value: number) =>
      other.callTool({ name: 'memory_store', arguments: { key: `${era}/${key}`, value } });
    const client = await connectV2(coordinator.url, era);
    const uri = `memory://shared/${era}/watched`;
    let position = '';
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      position = String(params._meta?.[changePositionKey]);
    });
    const subscription = era === 'modern' ? await client.listen({ resourceSubscriptions: [uri] }) : undefined;
    if (!subscription) await client.subscribeResource({ uri });
    await store('watched', 1);
    await eventually('the update', () => position || undefined);
    await subscription?.close();
    await client.close();

    await store('watched', 2);
    await store('other', 1);
    await store('watched', 3);

    const again = await connectV2(coordinator.url, era);
    const ask = async (since: string) => {
      const args = { since, prefix: `${era}/` };
      const result = await again.callTool({ name: 'memory_changes', arguments: args });
      return result.structuredContent as ChangesAnswer;
    };
    const missed = await ask(position);
    expect(missed.reset).toBe(false);
    expect(missed.changes.map(({ key }) => key)).toEqual(
      ['watched', 'other', 'watched'].map((key) => `${era}/${key}`),
    );
    expect((await ask(missed.next)).changes).toEqual([]);
    await again.close();
    await other.close();
  });
});
