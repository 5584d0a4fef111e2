import { describe, expect, it } from 'vitest';
import { listPage } from './list-pages.ts';
import type { View } from './view.ts';

function viewOf(count: number): View {
  const tools = Array.from({ length: count }, (_, i) => ({ name: `t${i}`, description: 'é€😀' }));
  const caching = { ttlMs: 1, cacheScope: 'public' as const };
  return {
    lists: { tools, prompts: [], resources: [], resourceTemplates: [] },
    caching: { tools: caching, prompts: caching, resources: caching, resourceTemplates: caching },
  } as unknown as View;
}

describe('listPage', () => {
  it('is made once a view, era and cursor, and its text is that of its result', () => {
    const view = viewOf(2500);
    const first = listPage(view, 'tools', undefined, 'modern');
    expect(listPage(view, 'tools', undefined, 'modern')).toBe(first);
    expect(JSON.parse(first.text)).toEqual(first.result);
    const legacy = listPage(view, 'tools', undefined, 'legacy');
    expect(Object.keys(legacy.result)).toEqual(['tools', 'nextCursor']);
    const second = listPage(view, 'tools', first.result['nextCursor'], 'modern');
    expect(second.result['tools']).toHaveLength(1000);
    expect(JSON.parse(second.text)).toEqual(second.result);
    expect(listPage(viewOf(1), 'tools', undefined, 'modern').result['tools']).toHaveLength(1);
  });

  it('refuses cursors that are none, also those that could be taken for no cursor', () => {
    const view = viewOf(3);
    listPage(view, 'tools', undefined, 'modern');
    for (const cursor of ['', 'x', 7, null, {}])
      expect(() => listPage(view, 'tools', cursor, 'modern')).toThrow(
        expect.objectContaining({ code: 'INVALID_INPUT' }),
      );
  });

  it('keeps a bounded number of pages', () => {
    const view = viewOf(3);
    const first = listPage(view, 'tools', undefined, 'modern');
    for (let place = 1; place < 100; place += 1) {
      const cursor = Buffer.from(JSON.stringify([place, 't0'])).toString('base64url');
      listPage(view, 'tools', cursor, 'modern');
    }
    expect(listPage(view, 'tools', undefined, 'modern')).not.toBe(first);
  });
});
