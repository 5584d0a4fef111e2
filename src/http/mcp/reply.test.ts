import { describe, expect, it } from 'vitest';
import { createKeepAlive } from './reply.ts';

describe('createKeepAlive', () => {
  it('ends endless streams once, and those that come afterwards at once', () => {
    using keepAlive = createKeepAlive();
    const ended: string[] = [];
    keepAlive.addEndless(() => void ended.push('first'));
    keepAlive.addEndless(() => void ended.push('left'))();
    expect(ended).toEqual([]);
    keepAlive.endAll();
    keepAlive.addEndless(() => void ended.push('late'));
    expect(ended).toEqual(['first', 'late']);
  });
});
