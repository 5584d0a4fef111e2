import { expect, it } from 'vitest';
import { createPulse } from './pulse.ts';

it('lets no call begin that was said not to have begun', () => {
  const main = createPulse();
  const thread = createPulse(main.memory);
  expect(thread.begin()).toBe(true);
  expect([1, 2].map((call) => main.hasBegun(call))).toEqual([true, false]);
  main.seal();
  // The thread comes to itself, and finds the second call in its queue.
  expect(thread.begin()).toBe(false);
  expect([1, 2].map((call) => main.hasBegun(call))).toEqual([true, false]);
});
