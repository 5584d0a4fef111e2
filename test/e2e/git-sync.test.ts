import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placesOf } from '../fixtures/find-bytes.ts';
import { git, serveMemory } from '../fixtures/git-server.ts';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';
import { createBareRemote } from '../fixtures/synced-memories.ts';
import { runCli, startCoordinator } from './start-coordinator.ts';

const put = (origin: string, key: string, value: unknown) =>
  fetch(`${origin}/api/v1/memory/shared/${key}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value }),
  });

/** A request with headers that fetch does not let one set. */
function ask(origin: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(`${origin}${path}`, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    call.on('error', reject).end();
  });
}

describe('a coordinator', () => {
  it('is cloned and pushed to by stock Git, behind the guards of the other routes', async () => {
    await using remote = await createBareRemote();
    await using coordinator = await startCoordinator();
    const { origin } = coordinator;
    await put(origin, 'a', 'from REST');
    const url = `${origin}/git/default.git`;
    expect(await git(remote.folder, 'clone', '--quiet', url, 'clone')).toMatchObject({ code: 0 });
    const show = await git(`${remote.folder}/clone`, 'show', 'HEAD:shared/a.md');
    expect(show.out).toContain('from REST');
    const refs = '/git/default.git/info/refs?service=git-upload-pack';
    expect(await ask(origin, refs, {})).toBe(200);
    expect(await ask(origin, refs, { host: 'evil.example' })).toBe(403);
    expect(await ask(origin, refs, { origin: 'https://evil.example' })).toBe(403);
    expect(await ask(origin, refs, { origin: 'http://localhost:9999' })).toBe(403);
  });

  it('exchanges memories with another one, by the config and by the command line', async () => {
    await using hub = await startCoordinator();
    await put(hub.origin, 'from-hub', 1);
    const remotes = {
      hub: { url: `${hub.origin}/git/default.git`, everySeconds: 0 },
      locked: {
        url: 'https://git.invalid/x.git',
        everySeconds: 0,
        credential: { env: 'NO_SUCH_VARIABLE_HERE' },
      },
    };
    await using coordinator = await startCoordinator({ config: { memory: { remotes } } });
    await put(coordinator.origin, 'from-us', 2);
    const url = ['--url', coordinator.origin, '--json'];
    const synced = await runCli(['memory', 'sync', 'hub', ...url]);
    expect(JSON.parse(synced.stdout)).toMatchObject({ remotes: [{ name: 'hub', state: 'ok', behind: 0 }] });
    const there = await fetch(`${hub.origin}/api/v1/memory/shared/from-us`);
    expect(await there.json()).toMatchObject({ value: 2 });
    const here = await fetch(`${coordinator.origin}/api/v1/memory/shared/from-hub`);
    expect(await here.json()).toMatchObject({ value: 1 });
    const locked = await runCli(['memory', 'sync', 'locked', ...url]);
    expect(locked.code).toBe(8);
    expect(locked.stdout).toContain(
      'memory.remotes.locked.credential needs the environment variable NO_SUCH_VARIABLE_HERE',
    );
  });
});

describe('a remote that is added over the API', () => {
  const secret = 'a-token-that-nobody-may-see';
  const authorization = `Basic ${Buffer.from(`git:${secret}`).toString('base64')}`;

  it('is there after a restart, reads its credential for each round, and leaves when asked', async () => {
    await using hub = await serveMemory({}, authorization);
    await hub.call('store', { key: 'hub', value: 'from the hub' });
    await using folder = await createTempFolder();
    const dataDir = join(folder.path, 'data');
    const memory = {
      remotes: { fixed: { url: 'https://git.invalid/x.git', everySeconds: 0 } },
      addedRemotes: { allowHosts: ['127.0.0.1'] },
    };
    const start = { dataDir, config: { memory }, env: { GIT_MEMORY_REMOTE_HUB: secret } };
    const credential = ['--credential', 'env:GIT_MEMORY_REMOTE_HUB'];
    let output = '';
    {
      await using coordinator = await startCoordinator(start);
      const run = (...args: string[]) => runCli(['memory', ...args, '--url', coordinator.origin]);
      const added = await run('remotes', 'add', 'hub', hub.url, '--every', '0', ...credential);
      expect(added).toMatchObject({ code: 0, stdout: '' });
      expect((await run('sync', 'hub')).code).toBe(0);
      const twice = await run('remotes', 'add', 'hub', hub.url);
      expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('hub is there already')]);
      output += coordinator.output() + added.stderr + twice.stderr;
    }
    await using coordinator = await startCoordinator(start);
    const run = (...args: string[]) => runCli(['memory', ...args, '--url', coordinator.origin]);
    const listed = await run('remotes', 'list');
    expect(listed.stdout).toBe(
      `fixed\tconfig\tboth\tmain\tnew\thttps://git.invalid/x.git\nhub\tadded\tboth\tmain\tok\t${hub.url}\n`,
    );
    await hub.call('store', { key: 'hub', value: 'anew' });
    expect((await run('sync', 'hub')).code).toBe(0);
    const here = await fetch(`${coordinator.origin}/api/v1/memory/shared/hub`);
    expect(await here.json()).toMatchObject({ value: 'anew' });
    const fixed = await run('remotes', 'remove', 'fixed');
    expect([fixed.code, fixed.stderr]).toEqual([2, expect.stringContaining('comes from the config file')]);
    const removed = await run('remotes', 'remove', 'hub');
    expect(removed.stderr).toContain(
      `remotes add hub ${hub.url} --every 0 --credential env:GIT_MEMORY_REMOTE_HUB`,
    );
    expect((await run('remotes', 'remove', 'hub')).code).toBe(4);
    expect(output + coordinator.output()).not.toContain(secret);
    expect(placesOf(secret, dataDir)).toEqual([]);
  });

  it.each([
    ['http://169.254.169.254/latest/x.git', 'FORBIDDEN', 'not on the public internet'],
    ['http://localhost:22/x.git', 'FORBIDDEN', 'not on the public internet'],
    ['/tmp/somewhere.git', 'INVALID_INPUT', 'only http and https can be added'],
    ['file:///tmp/somewhere.git', 'INVALID_INPUT', 'only http and https can be added'],
    ['git@git.example.org:x.git', 'INVALID_INPUT', 'only http and https can be added'],
    ['ext::sh -c whoami', 'INVALID_INPUT', 'must be file, http, https or ssh'],
    ['https://git.example.org/x.git?token=tok3n', 'INVALID_INPUT', 'must not have a query'],
    ['https://me:tok3n@git.example.org/x.git', 'CONFIG_INVALID', 'must not hold a user name'],
  ])('may not be %s', async (url, code, problem) => {
    const answer = await add({ url });
    expect(await answer.json()).toMatchObject({ code, detail: expect.stringContaining(problem) });
    expect(coordinator.output()).not.toContain('tok3n');
  });

  it.each([{ file: '/etc/passwd' }, { env: 'HOME' }, 'tok3n'])(
    'takes no credential %j',
    async (credential) => {
      const answer = await add({ url: 'https://git.example.org/x.git', credential });
      expect(answer.status).toBe(400);
      expect(await answer.text()).not.toContain('tok3n');
    },
  );

  let coordinator: Awaited<ReturnType<typeof startCoordinator>>;
  beforeAll(async () => {
    coordinator = await startCoordinator();
  });
  afterAll(() => coordinator?.[Symbol.asyncDispose]());

  const add = (entry: object) =>
    fetch(`${coordinator.origin}/api/v1/memory-remotes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'team', entry }),
    });
});
