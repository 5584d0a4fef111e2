import { randomBytes } from 'node:crypto';
import { chmod, readFile, readdir, symlink } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/e2e/eventually.ts';
import { git, serveMemory, startGit } from '../../../test/fixtures/git-server.ts';

/** What of a push is left in the repository. */
async function leftovers(dataDir: string): Promise<string[]> {
  const objects = join(dataDir, 'memory.git', 'objects');
  const names = [...(await readdir(objects)), ...(await readdir(join(objects, 'pack')))];
  return names.filter((name) => name.startsWith('tmp') || name.endsWith('.keep'));
}

describe('clone', () => {
  it('has every acknowledged write, and is sound', async () => {
    await using server = await serveMemory({ flushIntervalMs: 60_000 });
    await server.call('store', { key: 'projects/apollo', value: { status: 'planned' } });
    await server.call('store', { key: 'อาหาร/ข้าวผัด', value: 'ฉันชอบกินข้าวผัด' });
    const clone = await server.clone('one');
    expect(await readFile(join(clone.path, 'shared/projects/apollo.json'), 'utf8')).toContain('planned');
    expect(await clone.run('fsck', '--strict', '--full')).toMatchObject({ code: 0 });
    expect((await clone.run('log', '--format=%an')).out).toBe('tester\ntester\n');
  });

  it('shows main and snapshots, and not our own refs', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 1 });
    await server.call('snapshot', { action: 'create', name: 'ก่อน' });
    server.git('update-ref', 'refs/git-memory/backup/x', 'refs/heads/main');
    const refs = await git(server.folder, 'ls-remote', server.url);
    const names = refs.out.split('\n').map((row) => row.slice(41));
    expect(names).toEqual(['HEAD', 'refs/heads/main', 'refs/tags/snap/ก่อน', 'refs/tags/snap/ก่อน^{}', '']);
  });

  it.each(['0', '1', '2'])('works with version %s of the protocol, shallow too', async (version) => {
    await using server = await serveMemory();
    for (const value of ['one', 'two', 'three']) await server.call('store', { key: 'a', value });
    const how = ['-c', `protocol.version=${version}`];
    expect(await git(server.folder, ...how, 'clone', server.url, 'all')).toMatchObject({ code: 0 });
    expect(await git(server.folder, ...how, 'clone', '--depth=1', server.url, 'last')).toMatchObject({
      code: 0,
    });
  });

  it('can leave out blobs until they are needed', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'three' });
    const clone = await server.clone('lazy', '--filter=blob:none');
    expect(await readFile(join(clone.path, 'shared/a.md'), 'utf8')).toContain('three');
  });

  it('while others write is always sound, and what comes later is fetched', async () => {
    await using server = await serveMemory({ flushIntervalMs: 1 });
    const stop = new AbortController();
    const writer = (async () => {
      let count = 0;
      while (!stop.signal.aborted) {
        await server.call('store', { key: `load/${count % 50}`, value: (count += 1) });
        await server.memory.flush();
      }
      return count;
    })();
    for (const name of ['one', 'two', 'three']) {
      const clone = await server.clone(name);
      expect(await clone.run('fsck', '--strict', '--full')).toMatchObject({ code: 0 });
      expect(await clone.run('pull')).toMatchObject({ code: 0 });
      expect(await clone.run('fsck', '--strict', '--full')).toMatchObject({ code: 0 });
    }
    stop.abort();
    expect(await writer).toBeGreaterThan(0);
  });
});

describe('push', () => {
  it('is taken: memories change at once, whatever the script', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    await clone.commit({ 'shared/a.md': 'two\n', 'shared/%e0%b8%81.md': 'ไก่\n', 'README.md': '# hi\n' });
    const pushed = await clone.push();
    expect(pushed.terminal).toMatch(/remote: took 1 commits[^]*main -> main/);
    expect(pushed.code).toBe(0);
    expect(await server.call('retrieve', { key: 'a' })).toMatchObject({ value: 'two' });
    expect(await server.call('retrieve', { key: 'ก' })).toMatchObject({ value: 'ไก่' });
    expect(await leftovers(server.dataDir)).toEqual([]);
    const { versions } = await server.call('history', { key: 'a' });
    expect(versions.map(({ actor }) => actor)).toEqual(['Ada', 'tester']);
  });

  it('into an empty memory makes main', async () => {
    await using server = await serveMemory();
    const clone = await server.clone('one');
    await clone.commit({ 'shared/first.md': 'hello\n' });
    expect(await clone.push('HEAD:main')).toMatchObject({ code: 0 });
    expect(await server.call('retrieve', { key: 'first' })).toMatchObject({ value: 'hello' });
  });

  it('that is forced over newer writes is merged, and nothing is lost', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    await server.call('store', { key: 'b', value: 'newer' });
    await server.memory.flush();
    await clone.commit({ 'shared/c.md': 'mine\n' });
    const plain = await clone.push();
    expect(plain.terminal).toContain('fetch first');
    const forced = await clone.push('--force', 'main');
    expect(forced.terminal).toContain('remote: main had moved on and yours was merged with it');
    expect(forced.terminal).not.toMatch(/^(?:error|warning|fatal)/m);
    expect(forced.code).toBe(0);
    expect(await server.call('retrieve', { key: 'b' })).toMatchObject({ value: 'newer' });
    expect(await server.call('retrieve', { key: 'c' })).toMatchObject({ value: 'mine' });
    expect(await clone.run('pull', '--ff-only')).toMatchObject({ code: 0 });
    expect((await clone.run('rev-parse', 'HEAD')).out).toBe(server.git('rev-parse', 'main'));
  });

  it('cannot take commits back or delete', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    await server.call('store', { key: 'a', value: 'two' });
    const clone = await server.clone('one');
    await clone.run('reset', '--hard', 'HEAD~1');
    const forced = await clone.push('--force', 'main');
    expect(forced.terminal).toContain('remote: a push cannot take commits back');
    expect(forced.terminal).toContain('[remote rejected] main -> main (main is ahead of it)');
    expect(forced.code).toBe(1);
    expect((await clone.push('--delete', 'main')).code).toBe(1);
    expect(await server.call('retrieve', { key: 'a' })).toMatchObject({ value: 'two' });
  });

  it('makes snapshots, and never moves one', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    await clone.run('tag', '-a', '-m', 'x', 'snap/แรก');
    await clone.run('tag', 'snap/light');
    expect(await clone.push('snap/แรก', 'snap/light')).toMatchObject({ code: 0 });
    expect(await server.call('retrieve', { key: 'a', at: 'snap:แรก' })).toMatchObject({ value: 'one' });
    await clone.commit({ 'shared/a.md': 'two\n' });
    await clone.run('tag', '-f', 'snap/light');
    const moved = await clone.push('--force', 'main', 'snap/light');
    expect(moved.terminal).toMatch(/\[remote rejected\] snap\/light -> snap\/light \(there is a snapshot/);
    expect(await server.call('retrieve', { key: 'a' })).toMatchObject({ value: 'two' });
    expect(await server.call('retrieve', { key: 'a', at: 'snap:light' })).toMatchObject({ value: 'one' });
  });

  it('of a snapshot that is not on main is refused', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    await clone.commit({ 'secret/x.md': 'not checked' });
    await clone.run('tag', 'snap/odd');
    const pushed = await clone.push('snap/odd');
    expect(pushed.terminal).toContain('it does not name a commit of main');
    expect(await leftovers(server.dataDir)).toEqual([]);
    expect(server.git('for-each-ref', 'refs/tags')).toBe('');
  });

  const huge = Buffer.alloc(9 * 1024 * 1024, 'x');
  it.each<[string, Record<string, string | Buffer>, RegExp]>([
    ['bad JSON', { 'shared/a.json': '{"x":}' }, /remote: shared\/a\.json: is not valid JSON/],
    [
      'conflict marks',
      { 'shared/a.json': '<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> x\n' },
      /conflict marks of Git/,
    ],
    [
      'bad front matter',
      { 'shared/a.md': '---\ntags: [x\n---\nbody\n' },
      /a\.md: has front matter that is not valid YAML, line/,
    ],
    ['bytes that are no text', { 'shared/a.md': Buffer.from([0xff, 0xfe, 0]) }, /a\.md: is not UTF-8 text/],
    [
      'another folder',
      { 'src/main.ts': 'x' },
      /src\/main\.ts: is no memory[^]*memories are \.md or \.json files under/,
    ],
    ['another ending', { 'shared/a.png': 'x' }, /shared\/a\.png: is no memory/],
    [
      'a name for few disks',
      { 'shared/My Note.md': 'x' },
      /git mv 'shared\/My Note\.md' 'shared\/%4dy%20%4eote\.md'/,
    ],
    ['a Thai name as it is', { 'shared/ก.md': 'x' }, /git mv 'shared\/ก\.md' 'shared\/%e0%b8%81\.md'/],
    [
      'two files of a key',
      { 'shared/b.md': 'x', 'shared/b.json': '1' },
      /is the same memory as shared\/b\.(?:json|md)/,
    ],
    [
      'a key that has a file elsewhere',
      { 'shared/+8/+6/a.md': 'x' },
      /shared\/\+8\/\+6\/a\.md: is the same memory as shared\/a\.md/,
    ],
    ['the coordinator', { 'coordinator/x.json': '1' }, /coordinator\/x\.json: belongs to the coordinator/],
    ['a conflict record', { 'conflicts/shared/a.json/1.json': '{}' }, /a push can only remove/],
    ['a huge file', { 'shared/huge.md': huge }, /shared\/huge\.md: has 9437184 bytes, the limit is 8388608/],
  ])('of %s is refused in plain words, and leaves nothing', async (_, files, words) => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    const before = server.git('count-objects', '-v');
    await clone.commit(files);
    const pushed = await clone.push();
    expect(pushed.terminal).toMatch(words);
    expect(pushed.terminal).toMatch(
      /remote: nothing of this push was taken[^]*\[remote rejected\] main -> main/,
    );
    expect(pushed.code).toBe(1);
    expect(await leftovers(server.dataDir)).toEqual([]);
    expect(server.git('count-objects', '-v')).toBe(before);
  });

  it.skipIf(process.platform === 'win32')('of links, programs and submodules is refused', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    await clone.commit({ 'shared/run.md': 'x' });
    await chmod(join(clone.path, 'shared/run.md'), 0o755);
    await symlink('/etc/passwd', join(clone.path, 'shared/link.md'));
    await clone.run('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},shared/sub`);
    await clone.run('commit', '-am', 'programs');
    await clone.commit({});
    const { terminal } = await clone.push();
    expect(terminal).toContain('shared/link.md: is a symbolic link');
    expect(terminal).toContain('shared/run.md: is an executable file');
    expect(terminal).toContain("git update-index --chmod=-x 'shared/run.md'");
  });

  it('is mended by one more commit where only the result was wrong', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    await clone.commit({ 'shared/b.json': '{' });
    expect((await clone.push()).code).toBe(1);
    await clone.commit({ 'shared/b.json': '{"mended": true}' });
    expect((await clone.push()).code).toBe(0);
    expect(await server.call('retrieve', { key: 'b' })).toMatchObject({ value: { mended: true } });
  });

  it('cannot bring back a former coordinator by a merge', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    await server.call('store', { key: 'rules', value: 'old', scope: 'coordinator' });
    const clone = await server.clone('one');
    await clone.run('branch', 'before');
    await server.call('store', { key: 'rules', value: 'new', scope: 'coordinator' });
    await server.memory.flush();
    await clone.run('pull');
    await clone.run('checkout', '-q', 'before');
    await clone.commit({ 'shared/b.md': 'x\n' });
    await clone.run('merge', '-s', 'ours', '-m', 'mine', 'main');
    const pushed = await clone.push('HEAD:main');
    expect(pushed.terminal).toContain('coordinator/: belongs to the coordinator');
    const now = await server.call('retrieve', { key: 'rules', scope: 'coordinator' });
    expect(now).toMatchObject({ value: 'new' });
  });

  it('may remove conflict records and files that never were memories', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    await server.memory.flush();
    const clone = await server.clone('one');
    await clone.commit({ 'conflicts/shared/a.md/1.json': '{}', 'notes.txt': 'x' });
    await clone.run('push', join(server.dataDir, 'memory.git'), 'HEAD:main');
    await server.memory.refresh();
    await clone.commit({ 'conflicts/shared/a.md/1.json': null, 'notes.txt': null });
    expect(await clone.push()).toMatchObject({ code: 0 });
  });

  it('over a limit is refused before it fills the disk', async () => {
    await using server = await serveMemory({ pushLimits: { packBytes: 100_000, commits: 5, files: 50 } });
    await server.call('store', { key: 'a', value: 'one' });
    const big = await server.clone('big');
    // Far more than the buffers of the connection: the client has to get the answer while it still sends.
    await big.commit({ 'shared/big.md': randomBytes(6_000_000).toString('base64') });
    const tooBig = await big.push();
    expect(tooBig.terminal).toContain('remote: the push is over 100000 bytes, the limit is 100000');
    const many = await server.clone('many');
    for (let i = 0; i < 6; i++) await many.commit({ [`shared/${i}.md`]: 'x' });
    expect((await many.push()).terminal).toContain('more than 5 commits in one push');
    const wide = await server.clone('wide');
    const files = Array.from({ length: 60 }, (_, i) => [`shared/w${i}.md`, 'x'] as const);
    await wide.commit(Object.fromEntries(files));
    expect((await wide.push()).terminal).toContain('more than 50 changed files in one push');
    expect(await leftovers(server.dataDir)).toEqual([]);
  });

  it('of a tree that unfolds without end is refused at once', async () => {
    await using server = await serveMemory({ pushLimits: { files: 1000 } });
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    const path = join(clone.path, 'x');
    await clone.commit({ x: 'bomb' });
    const blob = (await clone.run('hash-object', '-w', path)).out.trim();
    let tree = `100644 blob ${blob}\tf.md`;
    for (let depth = 0; depth < 12; depth++) {
      const made = await makeTree(clone.path, tree);
      tree = Array.from({ length: 10 }, (_, i) => `040000 tree ${made}\td${i}`).join('\n');
    }
    const root = await makeTree(clone.path, `040000 tree ${await makeTree(clone.path, tree)}\tshared`);
    const commit = (await clone.run('commit-tree', root, '-p', 'origin/main', '-m', 'bomb')).out.trim();
    const pushed = await clone.push(`${commit}:refs/heads/main`);
    expect(pushed.terminal).toMatch(/more than 1000 changed files|is no memory/);
    expect(pushed.code).toBe(1);
  });

  it('of a pack that is not sound is refused with the words of Git', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    await server.memory.flush();
    const old = server.git('rev-parse', 'main').trim();
    const line = `${old} ${'1'.repeat(40)} refs/heads/main\0report-status`;
    const pack = Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\0\x01'), Buffer.alloc(5000, 0xf7)]);
    const head = Buffer.from(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`);
    const answer = await fetch(`${server.url}/git-receive-pack`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-receive-pack-request' },
      body: new Uint8Array(Buffer.concat([head, pack])),
    });
    expect(await answer.text()).toMatch(/unpack the pack is not sound: .*[^]*ng refs\/heads\/main not taken/);
    expect(await leftovers(server.dataDir)).toEqual([]);
  });

  it('at the same time as writes and other pushes loses nothing', async () => {
    await using server = await serveMemory({ flushIntervalMs: 1 });
    await server.call('store', { key: 'start', value: 0 });
    const clones = await Promise.all(['one', 'two', 'three'].map((name) => server.clone(name)));
    const writes = Array.from({ length: 200 }, (_, i) => server.call('store', { key: `w/${i}`, value: i }));
    const pushes = clones.map(async (clone, at) => {
      for (let i = 0; i < 3; i++) {
        await clone.commit({ [`shared/p/${at}-${i}.md`]: `${at} ${i}\n` });
        const pushed = await clone.push('--force', 'main');
        expect(pushed.terminal).toContain('main -> main');
        expect(pushed.code).toBe(0);
      }
    });
    await Promise.all([...writes, ...pushes]);
    const last = await server.clone('last');
    expect((await readdir(join(last.path, 'shared/p'))).length).toBe(9);
    expect((await readdir(join(last.path, 'shared/w'))).length).toBe(200);
    expect(await last.run('fsck', '--strict')).toMatchObject({ code: 0 });
    const { keys } = await server.call('stats', {});
    expect(keys).toBe(210);
  });

  it('that is cut in the middle leaves nothing', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    const clone = await server.clone('one');
    await clone.commit({ 'shared/b.md': 'x\n' });
    const head = (await clone.run('rev-parse', 'HEAD')).out.trim();
    const old = (await clone.run('rev-parse', 'origin/main')).out.trim();
    const line = `${old} ${head} refs/heads/main\0report-status side-band-64k`;
    const start = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000PACK\0\0\0\x02\0\0\0\x03`;
    const call = request(`${server.url}/git-receive-pack`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-receive-pack-request', 'content-length': 100_000 },
    });
    call.on('error', () => {});
    call.write(start);
    await eventually('the quarantine', async () =>
      (await leftovers(server.dataDir)).length > 0 ? true : undefined,
    );
    call.destroy();
    await eventually('its end', async () =>
      (await leftovers(server.dataDir)).length === 0 ? true : undefined,
    );
    expect(server.git('rev-parse', 'main').trim()).toBe(old);
    expect(await clone.push()).toMatchObject({ code: 0 });
  });

  it('or a fetch that hangs is ended when the memory closes', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    for (const service of ['git-upload-pack', 'git-receive-pack']) {
      const headers = { 'content-type': `application/x-${service}-request`, 'content-length': 1000 };
      const call = request(`${server.url}/${service}`, { method: 'POST', headers });
      call.on('error', () => {});
      call.write('0014');
    }
    await eventually(
      'both requests',
      () =>
        new Promise<true | undefined>((resolve) => {
          server.connections((count) => resolve(count === 2 ? true : undefined));
        }),
    );
    await server.test.close();
    expect(await leftovers(server.dataDir)).toEqual([]);
  });

  it('of a killed coordinator is taken away at the next start', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    await server.test.close();
    const objects = join(server.dataDir, 'memory.git', 'objects');
    await git(server.folder, 'init', '-q', '--bare', join(objects, 'tmp_objdir-incoming-memory-abc'));
    await server.test.reopen();
    expect(await leftovers(server.dataDir)).toEqual([]);
  });
});

async function makeTree(cwd: string, rows: string): Promise<string> {
  const child = startGit(cwd, ['mktree']);
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stdin?.end(`${rows}\n`);
  await new Promise((resolve) => child.once('close', resolve));
  return out.trim();
}

describe('the endpoint', () => {
  it('answers in text what it does not serve', async () => {
    await using server = await serveMemory();
    const ask = async (path: string, init?: RequestInit) => {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
      return [answer.status, await answer.text()] as const;
    };
    expect(await ask('/git/other.git/info/refs?service=git-upload-pack')).toEqual([
      404,
      'repository not found: /git/other.git/info/refs\n',
    ]);
    expect((await ask('/git/default.git/info/refs'))[0]).toBe(403);
    expect((await ask('/git/default.git/objects/info/packs'))[0]).toBe(404);
    expect((await ask('/git/default.git/git-upload-pack'))[0]).toBe(400);
    expect((await ask('/git/default.git/git-receive-pack', { method: 'POST', body: 'x' }))[0]).toBe(400);
  });

  it('takes packed bodies, refuses broken ones, and answers an empty push', async () => {
    await using server = await serveMemory();
    await server.call('store', { key: 'a', value: 'one' });
    await server.memory.flush();
    const post = (service: string, body: Buffer, encoding?: string) =>
      fetch(`${server.url}/${service}`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: {
          'content-type': `application/x-${service}-request`,
          'git-protocol': 'version=2',
          ...(encoding !== undefined && { 'content-encoding': encoding }),
        },
      });
    const listing = Buffer.from('0014command=ls-refs\n00010014ref-prefix refs/0000');
    const packed = await post('git-upload-pack', gzipSync(listing), 'gzip');
    expect(await packed.text()).toContain('refs/heads/main');
    const tooMuch = await post('git-upload-pack', Buffer.concat([listing, Buffer.alloc(4_000_000)]));
    expect(await tooMuch.text()).toContain('refs/heads/main');
    expect((await post('git-upload-pack', listing, 'br')).status).toBe(400);
    expect(await (await post('git-receive-pack', Buffer.from('0000'))).text()).toBe('');
    const broken = await post('git-receive-pack', Buffer.from('zzzz'));
    expect([broken.status, await broken.text()]).toEqual([
      400,
      'the request of git has a packet without a length\n',
    ]);
    expect((await post('git-receive-pack', Buffer.from('not gzip'), 'gzip')).status).toBeGreaterThan(399);
  });
});
