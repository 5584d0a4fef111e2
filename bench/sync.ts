/**
 * How long two replicas with diverged keys take until both are equal, over a bare remote, beside plain `git
 * fetch` and `git merge` of the same two histories in a work tree, in the same run: `node bench/sync.ts [--keys
 * 10000] [--shared 1000]`. Each side writes `keys` keys of its own; `shared` keys more are written by both, to
 * different fields. Last line: one JSON object.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { silentLogger } from '../src/kernel/log.ts';
import { type Memory, openMemory } from '../src/memory/open-memory.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '10000' },
    shared: { type: 'string', default: '1000' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const [keys, shared] = [Number(values.keys), Number(values.shared)];
const caller = { actor: 'bench', agent: 'bench' };
const text = 'what is remembered here '.repeat(35);
const folder = await mkdtemp(join(values.folder, 'git-memory-bench-sync-'));
const remote = join(folder, 'remote.git');

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

async function timed<T>(task: () => Promise<T> | T): Promise<number> {
  const startMs = performance.now();
  await task();
  return Math.round(performance.now() - startMs);
}

function open(name: string): Promise<Memory> {
  const origin = {
    name: 'origin',
    source: 'config',
    url: remote,
    branch: 'main',
    direction: 'both',
    everySeconds: 0,
  } as const;
  return openMemory({ dataDir: join(folder, name), logger: silentLogger, remotes: [origin] });
}

async function sync(memory: Memory): Promise<void> {
  const { remotes } = await memory.call('sync', { waitSeconds: 3600 }, caller);
  const [row] = remotes;
  if (row?.state !== 'ok') throw new Error(row?.lastError?.message ?? row?.state);
}

async function write(memory: Memory, from: number, count: number, valueOf: (i: number) => object) {
  for (let i = from; i < from + count; i += 1000) {
    const entries = Array.from({ length: Math.min(1000, from + count - i) }, (_, k) => {
      return { key: `bench/${(i + k) % 100}/k${i + k}`, value: valueOf(i + k) };
    });
    await memory.call('store_many', { entries }, caller);
  }
  await memory.flush();
}

const headOf = (name: string) => git(join(folder, name, 'memory.git'), 'rev-parse', 'main');

try {
  git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
  await using left = await open('left');
  await using right = await open('right');
  await write(left, 0, shared, (i) => ({ i, left: 0, text, right: 0 }));
  await sync(left);
  await sync(right);
  await write(left, shared, keys, (i) => ({ i, by: 'left', text }));
  await write(left, 0, shared, (i) => ({ i, left: 1, text, right: 0 }));
  await write(right, shared + keys, keys, (i) => ({ i, by: 'right', text }));
  await write(right, 0, shared, (i) => ({ i, left: 0, text, right: 1 }));
  for (const name of ['left', 'right']) {
    await cp(join(folder, name, 'memory.git'), join(folder, `${name}-copy.git`), { recursive: true });
  }

  const pushMs = await timed(() => sync(left));
  const mergeMs = await timed(() => sync(right));
  const pullMs = await timed(() => sync(left));
  if (headOf('left') !== headOf('right')) throw new Error('the replicas are not equal');
  const { keys: stored } = await right.call('stats', {}, caller);
  const { conflicts } = await right.call('conflicts', { limit: 1 }, caller);
  if (stored !== shared + 2 * keys || conflicts.length > 0) throw new Error('something is missing');

  const work = join(folder, 'work');
  git(folder, 'clone', '--quiet', join(folder, 'left-copy.git'), work);
  const fetchMs = await timed(() => git(work, 'fetch', '--quiet', join(folder, 'right-copy.git'), 'main'));
  const merge = ['-c', 'user.name=b', '-c', 'user.email=b@example.org', 'merge', '--quiet', 'FETCH_HEAD'];
  const gitMergeMs = await timed(() => {
    spawnSync('git', merge, { cwd: work, stdio: 'ignore' });
  });
  const unmerged = git(work, 'diff', '--name-only', '--diff-filter=U').split('\n').filter(Boolean).length;
  const report = {
    keysASide: keys,
    keysOfBoth: shared,
    untilEqualMs: pushMs + mergeMs + pullMs,
    pushMs,
    fetchMergePushMs: mergeMs,
    fetchMs: pullMs,
    gitFetchMs: fetchMs,
    gitMergeMs,
    gitConflicts: unmerged,
    ourConflicts: 0,
  };
  console.table({
    'push of the first': { ours: pushMs },
    'fetch, merge, index, push of the second': { ours: mergeMs, git: fetchMs + gitMergeMs },
    'fetch of the first': { ours: pullMs },
  });
  console.log(JSON.stringify(report));
} finally {
  await rm(folder, { recursive: true, force: true });
}
