import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import type { Announcement } from './announcement.ts';
import { createRegistrations } from './registrations.ts';

function setUp(change: { enabled?: boolean; maxServers?: number } = {}) {
  const clock = createFakeClock();
  let servers: readonly Announcement[] = [];
  const registrations = createRegistrations({
    enabled: true,
    maxServers: 10,
    bounds: { allowHosts: ['10.0.0.7:8080'] },
    clock,
    report: async (now) => {
      servers = now;
    },
    ...change,
  });
  return { clock, registrations, names: () => servers.map(({ name }) => name) };
}

const docs = { name: 'docs', url: 'http://10.0.0.7:8080/mcp', ttlSeconds: 30 };

describe('registrations', () => {
  it('hold as long as heartbeats come', async () => {
    const { clock, registrations, names } = setUp();
    const { lease, expiresAtMs } = await registrations.register(docs);
    expect(expiresAtMs).toBe(30_000);
    clock.advance(29_000);
    expect(registrations.heartbeat('docs', lease).expiresAtMs).toBe(59_000);
    clock.advance(29_999);
    expect(names()).toEqual(['docs']);
    clock.advance(1);
    expect(names()).toEqual([]);
    expect(() => registrations.heartbeat('docs', lease)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
  });

  it('belong to who has the lease', async () => {
    const { registrations, names } = setUp();
    const { lease } = await registrations.register(docs);
    await expect(registrations.register(docs)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(() => registrations.heartbeat('docs', 'guess')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    );
    await expect(registrations.end('docs', 'guess')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect((await registrations.register(docs, lease)).lease).toBe(lease);
    await registrations.end('docs', lease);
    expect(names()).toEqual([]);
  });

  it('are ended by an operator without the lease', async () => {
    const { registrations, names } = setUp();
    await registrations.register(docs);
    await registrations.evict('docs');
    expect(names()).toEqual([]);
  });

  it.each([
    ['http://169.254.169.254/latest', 'FORBIDDEN'],
    ['http://127.0.0.1:9/mcp', 'FORBIDDEN'],
    ['http://10.0.0.7:8081/mcp', 'FORBIDDEN'],
    ['file:///etc/passwd', 'CONFIG_INVALID'],
    ['http://u:p@10.0.0.7:8080/mcp', 'INVALID_INPUT'],
    ['http://10.0.0.7:8080/${env:HOME}', 'INVALID_INPUT'],
    ['nonsense', 'CONFIG_INVALID'],
  ])('refuse %s', async (url, code) => {
    const { registrations, names } = setUp();
    await expect(registrations.register({ ...docs, url })).rejects.toMatchObject({ code });
    expect(names()).toEqual([]);
  });

  it('are bounded, and off unless the config says otherwise', async () => {
    const full = setUp({ maxServers: 1 });
    await full.registrations.register(docs);
    await expect(full.registrations.register({ ...docs, name: 'more' })).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
    await expect(setUp({ enabled: false }).registrations.register(docs)).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('discovery.registration.enabled'),
    });
  });
});
