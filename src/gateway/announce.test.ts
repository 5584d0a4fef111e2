import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import { createAnnouncer } from './announce.ts';
import type { Mounts } from './mounts.ts';

function setUp() {
  const clock = createFakeClock();
  const lists = { tools: 'a', prompts: 'a', resources: 'a', resourceTemplates: 'a' };
  const mounts = { view: () => ({ fingerprint: { ...lists } }) } as unknown as Mounts;
  const announcer = createAnnouncer(mounts, clock, 100);
  const got: string[] = [];
  const leave = announcer.add({ mount: 'all', send: ({ method }) => got.push(method) });
  return { announcer, clock, got, leave, lists };
}

describe('announcer', () => {
  it('tells once per pause what has changed, however often it is touched', () => {
    const { announcer, clock, got, lists } = setUp();
    lists.tools = 'b';
    for (let n = 0; n < 1000; n += 1) announcer.touch();
    clock.advance(100);
    expect(got).toEqual(['notifications/tools/list_changed']);
  });

  it('says nothing when clients see the same lists as before', () => {
    const { announcer, clock, got } = setUp();
    announcer.touch();
    clock.advance(100);
    expect(got).toEqual([]);
  });

  it('has one word for resources and their templates', () => {
    const { announcer, clock, got, lists } = setUp();
    lists.resources = 'b';
    lists.resourceTemplates = 'b';
    announcer.touch();
    clock.advance(100);
    expect(got).toEqual(['notifications/resources/list_changed']);
  });

  it('tells everybody at once when who sees what has changed', () => {
    const { announcer, got } = setUp();
    announcer.tellAll();
    expect(got).toEqual(
      ['tools', 'prompts', 'resources'].map((kind) => `notifications/${kind}/list_changed`),
    );
  });

  it('forgets who left', () => {
    const { announcer, clock, got, leave, lists } = setUp();
    leave();
    lists.tools = 'b';
    announcer.touch();
    clock.advance(100);
    expect(got).toEqual([]);
  });
});
