import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { serveMemory } from '../../../test/fixtures/git-server.ts';
import { type TestMemory, openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { createSsrfGuard } from '../../kernel/ssrf-guard.ts';
import type { RemoteOptions } from './remote-git.ts';

/** A name that only our resolver knows. */
const host = 'memory.example';
const resolver = async () => [{ address: '127.0.0.1', family: 4 as const }];
const allowed = createSsrfGuard({ allowHosts: [host] }, resolver);

function added(url: string, more: Partial<RemoteOptions> = {}): RemoteOptions {
  const how = { branch: 'main', direction: 'both', everySeconds: 0 } as const;
  return { name: 'team', source: 'added', url, guard: allowed, ...how, ...more };
}

async function syncOne(test: TestMemory) {
  const { remotes } = await test.call('sync', { waitSeconds: 600 });
  return remotes[0];
}

describe('a remote that was added', () => {
  it('is reached at the addresses that its guard let pass, whatever a name server says later', async () => {
    await using hub = await serveMemory();
    await hub.call('store', { key: 'hub', value: 1 });
    await using test = await openTestMemory();
    test.memory.remotes.add(added(`http://${host}:${hub.port}/git/default.git`));
    expect(await syncOne(test)).toMatchObject({ state: 'ok', source: 'added', behind: 0 });
    expect(await test.call('retrieve', { key: 'hub' })).toMatchObject({ value: 1 });
    expect(() => test.memory.remotes.add(added('http://x.example/y.git'))).toThrow('team is there already');
  });

  it('is not asked at all when its host is not on the public internet, nor where it redirects to', async () => {
    await using hub = await serveMemory();
    let asked = 0;
    const redirector = createServer((request, response) => {
      asked += 1;
      request.resume();
      response.writeHead(302, { location: `http://127.0.0.1:${hub.port}${request.url}` }).end();
    });
    await new Promise<void>((resolve) => redirector.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = redirector.address() as AddressInfo;
      await using test = await openTestMemory();
      const guard = createSsrfGuard({}, resolver);
      test.memory.remotes.add(added(`http://${host}:${port}/git/default.git`, { guard }));
      const forbidden = await syncOne(test);
      expect(forbidden).toMatchObject({ state: 'failing' });
      expect(forbidden?.lastError?.message).toContain(
        `remote team: not allowed: the host ${host} is not on the public internet`,
      );
      expect(asked).toBe(0);
      await test.memory.remotes.remove('team');
      test.memory.remotes.add(added(`http://${host}:${port}/git/default.git`));
      expect(await syncOne(test)).toMatchObject({ state: 'failing' });
      expect(asked).toBe(1);
    } finally {
      redirector.close();
    }
  });

  it('ends its round when it is removed, and nothing of it is known afterwards', async () => {
    const waiting = Promise.withResolvers<void>();
    const silent = createServer(() => waiting.resolve());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    await using hub = await serveMemory();
    await hub.call('store', { key: 'hub', value: 1 });
    await using test = await openTestMemory();
    try {
      test.memory.remotes.add(added(`http://${host}:${hub.port}/git/default.git`));
      await syncOne(test);
      expect(test.git('for-each-ref', 'refs/git-memory/remotes/')).not.toBe('');
      await test.memory.remotes.remove('team');
      expect(test.git('for-each-ref', 'refs/git-memory/remotes/')).toBe('');
      expect(await test.call('sync', {})).toEqual({ remotes: [] });
      await expect(test.memory.remotes.remove('team')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const { port } = silent.address() as AddressInfo;
      test.memory.remotes.add(added(`http://${host}:${port}/x.git`));
      expect(await test.call('sync', { action: 'status' })).toMatchObject({
        remotes: [{ state: 'new', ahead: null, lastSuccessAt: null }],
      });
      const round = test.call('sync', { waitSeconds: 600 }).catch((error: { code: string }) => error.code);
      await waiting.promise;
      await test.memory.remotes.remove('team');
      // Nothing is left to tell of.
      expect(await round).toEqual({ remotes: [] });
      expect(await test.call('retrieve', { key: 'hub' })).toMatchObject({ value: 1 });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});
