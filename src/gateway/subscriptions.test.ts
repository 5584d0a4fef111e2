import { describe, expect, it } from 'vitest';
import type { Instance } from '../pool/instance.ts';
import { createSubscriptions } from './subscriptions.ts';
import type { View } from './view.ts';

const peer = { key: 'one', capabilities: {} };

/** An instance that only knows what is watched at it. */
function watchedInstance() {
  const watched = new Set<string>();
  const instance = {
    spec: {},
    subscribe: async (uri: string) => void watched.add(uri),
    unsubscribe: async (uri: string) => void watched.delete(uri),
  } as unknown as Instance;
  return { instance, watched };
}

describe('subscriptions of an instance that another takes the place of', () => {
  it('go on there, and end there', async () => {
    const [old, fresh] = [watchedInstance(), watchedInstance()];
    const group = { alias: 'a', instances: [old.instance], prefix: 'p+' };
    const view = {
      resolveUri: (uri: string) => ({ group, uri: uri.replace('p+', '') }),
    } as unknown as View;
    const subscriptions = createSubscriptions();
    const heard: string[] = [];
    const unwatch = await subscriptions.watch(view, 'p+x://1', peer, (uri) => heard.push(uri));
    await subscriptions.move(old.instance, fresh.instance);
    expect([...fresh.watched]).toEqual(['x://1']);
    subscriptions.publish(fresh.instance, 'x://1');
    subscriptions.publish(old.instance, 'x://1');
    expect(heard).toEqual(['p+x://1']);
    await unwatch();
    expect([fresh.watched.size, subscriptions.size]).toEqual([0, 0]);
  });
});
