import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/e2e/eventually.ts';
import { startFaultProxy } from '../../../test/fixtures/fault-proxy.ts';
import { freePort } from '../../../test/fixtures/free-port.ts';
import { serveMemory } from '../../../test/fixtures/git-server.ts';
import { createTempFolder, type TestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import {
  createBareRemote,
  converge,
  headOf,
  openReplica,
  sync,
  valuesOf,
} from '../../../test/fixtures/synced-memories.ts';
import { createRandom } from '../../../test/harness/random.ts';
import { createLogger } from '../../kernel/log.ts';

describe('replicas of a coordinator', () => {
  it('five of them converge though connections are cut at random', { timeout: 240_000 }, async () => {
    const random = createRandom(20_261_121);
    await using hub = await serveMemory();
    await using proxy = await startFaultProxy({ target: hub.port, share: 0.3, maxBytes: 6000, random });
    await using stack = new AsyncDisposableStack();
    const url = `http://127.0.0.1:${proxy.port}/git/default.git`;
    const replicas: TestMemory[] = [];
    for (let i = 0; i < 5; i++) replicas.push(stack.use(await openReplica({ url })));
    let failures = 0;
    const lives = replicas.map(async (replica, at) => {
      for (let i = 0; i < 3; i++) {
        for (let k = 0; k < 5; k++) await replica.call('store', { key: `own/${at}/${i}-${k}`, value: k });
        await replica.call('store', { key: `both/${i}`, value: { [`by${at}`]: i } });
        await replica.call('store', { key: 'contested', value: { by: at, round: i } });
        await replica.call('increment', { key: 'visits' });
        const { remotes } = await replica.call('sync', { waitSeconds: 600 });
        if (remotes[0]?.state === 'failing') failures += 1;
      }
    });
    await Promise.all([...lives, hub.call('store', { key: 'hub', value: 'at home' })]);
    proxy.heal();
    const head = await converge(replicas);
    expect(hub.git('rev-parse', 'main').trim()).toBe(head);
    const values = await valuesOf(replicas[0]!);
    for (const replica of replicas) expect(await valuesOf(replica)).toEqual(values);
    expect(Object.keys(values).filter((key) => key.startsWith('own/'))).toHaveLength(75);
    expect(values['visits']).toBe(15);
    expect(values['hub']).toBe('at home');
    // Replicas bring the records of their merges along.
    expect(hub.git('ls-tree', '-r', '--name-only', 'main')).toContain('conflicts/shared/contested.json/');
    expect(proxy.cuts()).toBeGreaterThan(0);
    expect(failures).toBeLessThan(15);
    expect(hub.git('fsck', '--strict')).toBe('');
  });

  it('learn of the merge that the other side made of a forced race', async () => {
    await using hub = await serveMemory();
    await using one = await openReplica({ url: hub.url });
    await hub.call('store', { key: 'a', value: 'hub' });
    await one.call('store', { key: 'b', value: 'one' });
    await sync(one);
    expect(hub.git('rev-parse', 'main').trim()).toBe(headOf(one));
    expect(await hub.call('retrieve', { key: 'b' })).toMatchObject({ value: 'one' });
  });
});

describe('credentials', () => {
  const secret = 'ghp_s3cr3tOfMine';
  const authorization = `Basic ${Buffer.from(`git:${secret}`).toString('base64')}`;

  function recordLog() {
    let text = '';
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    });
    return { logger: createLogger({ level: 'debug', stream }), text: () => text };
  }

  it('reach the remote, and nothing else', async () => {
    await using hub = await serveMemory({}, authorization);
    const log = recordLog();
    const readCredential = async () => secret;
    await using one = await openReplica({ url: hub.url, readCredential }, { logger: log.logger });
    await one.call('store', { key: 'a', value: 1 });
    const done = new AbortController();
    const seen = watchCommandLines(done.signal);
    await sync(one);
    done.abort();
    const lines = await seen;
    if (process.platform === 'linux') expect(lines.some((line) => line.includes(hub.url))).toBe(true);
    for (const text of [...lines, log.text(), await readFile(join(one.dataDir, 'sync.json'), 'utf8')]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(`git:${secret}`).toString('base64'));
    }
    expect(one.git('config', '--list', '--local')).not.toContain('http.');
    expect(await hub.call('retrieve', { key: 'a' })).toMatchObject({ value: 1 });
  });

  it('that are wrong give a clear error without them', async () => {
    await using hub = await serveMemory({}, authorization);
    const log = recordLog();
    const wrong = 'wr0ngT0ken';
    const readCredential = async () => wrong;
    await using one = await openReplica({ url: hub.url, readCredential }, { logger: log.logger });
    await using none = await openReplica({ url: hub.url });
    for (const replica of [one, none]) {
      const error = await sync(replica).then(
        () => '',
        (thrown: Error) => thrown.message,
      );
      expect(error).toContain('the remote refused the credential');
      expect(error).toContain('memory.remotes.<name>.credential');
      expect(error).not.toContain(wrong);
    }
    expect(log.text()).toContain('sync failed');
    expect(log.text()).not.toContain(wrong);
  });

  it.each([
    ['ext::sh -c id', /must be file, http, https or ssh/],
    ['--upload-pack=touch /tmp/x', /is no URL or path/],
    ['ftp://example.org/x', /must be file, http, https or ssh/],
    ['https://me:pw123@example.org/x', /must not hold a user name or token/],
    ['ssh://-oProxyCommand=id/x', /must not begin with -/],
    ['-oProxyCommand=id:x', /is no URL or path/],
    ['git@-host:x', /must not begin with -/],
  ])('and odd transports in a URL are refused: %s', async (url, words) => {
    await using one = await openReplica({ url });
    const { remotes } = await one.call('sync', {});
    expect(remotes[0]?.lastError?.message).toMatch(words);
    expect(JSON.stringify(remotes)).not.toContain('pw123');
  });

  it('are not sent where a redirect leads', async () => {
    await using hub = await serveMemory({}, authorization);
    const redirect = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        const there = `${hub.url}/info/refs?service=git-upload-pack`;
        socket.end(
          `HTTP/1.1 302 Found\r\nLocation: ${there}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        );
      });
    });
    await new Promise<void>((resolve) => redirect.listen(0, '127.0.0.1', resolve));
    const { port } = redirect.address() as { port: number };
    await using one = await openReplica({
      url: `http://127.0.0.1:${port}/git/default.git`,
      readCredential: async () => secret,
    });
    await expect(sync(one)).rejects.toThrow('remote origin');
    redirect.close();
  });
});

/** All command lines of processes that were there until the end; empty where there is no /proc. */
async function watchCommandLines(until: AbortSignal): Promise<string[]> {
  const lines = new Set<string>();
  while (!until.aborted && process.platform === 'linux') {
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    for (const id of ids) lines.add(await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => ''));
  }
  return [...lines];
}

/** Part of openssh-server; where it is missing, only the double below stands for ssh. */
const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));
const sshClient = ['/usr/bin/ssh', '/usr/local/bin/ssh'].find((path) => existsSync(path));
const hasSsh = sshd !== undefined && sshClient !== undefined;
if (!hasSsh) console.warn('openssh-server is not here: the test with a real sshd is skipped');

/** Puts a program `ssh` before all others; the script gets the words of the call. */
async function putSsh(folder: string, script: string): Promise<Disposable> {
  await writeFile(join(folder, 'ssh'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const before = process.env['PATH'];
  process.env['PATH'] = `${folder}:${before}`;
  return {
    [Symbol.dispose]() {
      process.env['PATH'] = before;
    },
  };
}

describe.skipIf(process.platform === 'win32')('over ssh', () => {
  it('asks no question, bounds its waiting and names the problem', async () => {
    await using remote = await createBareRemote();
    await using folder = await createTempFolder();
    const words = join(folder.path, 'words');
    // A double: it writes down its words and runs the command here.
    using _ssh = await putSsh(
      folder.path,
      `echo "$@" >> '${words}'\nfor last; do :; done\nexec sh -c "$last"`,
    );
    await using one = await openReplica({ url: `git@example.org:${remote.path}` });
    await one.call('store', { key: 'a', value: 1 });
    await sync(one);
    expect(remote.git('rev-parse', 'main').trim()).toBe(headOf(one));
    expect(await readFile(words, 'utf8')).toMatch(
      /BatchMode=yes -o ConnectTimeout=15 .*git@example\.org git-upload-pack/,
    );
    await putSsh(folder.path, 'echo "Host key verification failed." >&2; exit 255');
    await expect(sync(one)).rejects.toThrow('the host key is not known');
    await putSsh(folder.path, 'echo "git@example.org: Permission denied (publickey)." >&2; exit 255');
    await expect(sync(one)).rejects.toThrow('ssh was refused');
  });

  it.skipIf(!hasSsh)('reaches a real server', async () => {
    await using remote = await createBareRemote();
    await using folder = await createTempFolder();
    const at = (name: string) => join(folder.path, name);
    for (const name of ['host', 'user']) {
      spawnSync(join(dirname(sshClient!), 'ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
    }
    const port = await freePort();
    const settings = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host')}`,
      `AuthorizedKeysFile ${at('user.pub')}`,
      'StrictModes no',
      'UsePAM no',
      `PidFile ${at('pid')}`,
    ];
    await writeFile(at('sshd_config'), `${settings.join('\n')}\n`);
    const hostKey = await readFile(at('host.pub'), 'utf8');
    await writeFile(at('known_hosts'), `[127.0.0.1]:${port} ${hostKey}`);
    await writeFile(at('config'), `IdentityFile ${at('user')}\nUserKnownHostsFile ${at('known_hosts')}\n`);
    const server = spawn(sshd!, ['-D', '-e', '-f', at('sshd_config')], { stdio: 'ignore' });
    using _ssh = await putSsh(folder.path, `exec '${sshClient}' -F '${at('config')}' "$@"`);
    try {
      await using one = await openReplica({ url: `ssh://127.0.0.1:${port}${remote.path}` });
      await one.call('store', { key: 'a', value: 1 });
      await eventually('ssh', () => sync(one).catch(() => undefined));
      expect(remote.git('rev-parse', 'main').trim()).toBe(headOf(one));
    } finally {
      server.kill();
    }
  });
});
