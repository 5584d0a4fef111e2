import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { git } from '../fixtures/git-server.ts';
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
