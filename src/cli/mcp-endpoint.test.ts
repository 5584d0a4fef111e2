import { expect, it } from 'vitest';
import { endpointOf } from './mcp-endpoint.ts';

const base = 'http://127.0.0.1:3000';

it('leads to the whole, to a part, and to search mode', () => {
  expect(endpointOf(base)).toBe(`${base}/mcp`);
  expect(endpointOf(`${base}/mcp`, { server: 'a b' })).toBe(`${base}/mcp/servers/a%20b`);
  expect(endpointOf(base, { bundle: 'support', search: true })).toBe(
    `${base}/mcp/bundles/support?tools=search`,
  );
  expect(endpointOf(base, { category: 'iot' })).toBe(`${base}/mcp/categories/iot`);
});

it('keeps the mount and the mode of a URL', () => {
  expect(endpointOf(`${base}/mcp?tools=search`)).toBe(`${base}/mcp?tools=search`);
  expect(endpointOf(`${base}/mcp/bundles/x?tools=search`)).toBe(`${base}/mcp/bundles/x?tools=search`);
  expect(endpointOf(`${base}/mcp/servers/x`, { search: true })).toBe(`${base}/mcp/servers/x?tools=search`);
});

it('refuses two parts at once', () => {
  expect(() => endpointOf(base, { server: 'a', category: 'b' })).toThrow(
    /--server: cannot go with --category/,
  );
});
