/**
 * What a merge of two replicas costs, beside `git merge-tree` on the same two commits in the same run: `node
 * bench/merge.ts [--changes 10000] [--keys 50000] [--rounds 5]`. Of the changes a side, a tenth are of keys that
 * both changed; of these every fourth is a conflict. Last line: one JSON object.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keyPath } from '../src/memory/files/key-path.ts';
import { blobId, encodeMemoryFile } from '../src/memory/files/memory-file.ts';
import { type GitWriter, createGitWriter } from '../src/memory/git/git-writer.ts';
import { prepareRepository } from '../src/memory/git/repository.ts';
import { createGit } from '../src/memory/git/run-git.ts';
import type { WriteRecord } from '../src/memory/write-record.ts';

const { values } = parseArgs({
  options: {
    changes: { type: 'string', default: '10000' },
    keys: { type: 'string', default: '50000' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const [changes, keys, rounds] = [Number(values.changes), Number(values.keys), Number(values.rounds)];
const text = 'what is remembered here '.repeat(35);

interface Side {
  readonly actor: string;
  readonly valueOf: (i: number) => object;
}

let seq = 0;

function recordOf(i: number, { actor, valueOf }: Side): WriteRecord {
  const key = `bench/${i % 100}/k${i}`;
  const content = encodeMemoryFile({ key, tags: [], value: valueOf(i) });
  seq += 1;
  return {
    seq,
    op: 'store',
    scope: 'shared',
    key,
    path: keyPath('shared', key, 'json'),
    removePaths: [],
    etag: blobId(content),
    content,
    atMs: 1_700_000_000_000 + seq,
    actor,
    agent: 'bench',
  };
}

async function write(writer: GitWriter, numbers: readonly number[], side: Side): Promise<void> {
  for (let i = 0; i < numbers.length; i += 4000) {
    await writer.commit(numbers.slice(i, i + 4000).map((n) => recordOf(n, side)));
  }
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0;
const round = (ms: number) => Math.round(ms * 10) / 10;

const folder = await mkdtemp(join(values.folder, 'git-memory-bench-merge-'));
const repositoryDir = join(folder, 'memory.git');
const git = createGit(repositoryDir);
try {
  await prepareRepository(git);
  const shared = Math.floor(changes / 10);
  const options = { repositoryDir, journalDir: folder };
  const headOf = async () => (await git.run(['rev-parse', 'main'])).toString('latin1').trim();
  const base = { actor: 'base', valueOf: (i: number) => ({ i, left: 0, right: 0, both: 0, text }) };
  await using writer = createGitWriter(options);
  await write(writer, range(0, keys), base);
  const start = await headOf();
  const left = {
    actor: 'left',
    valueOf: (i: number) => ({ i, left: 1, right: 0, both: i % 4 === 0 ? 1 : 0, text }),
  };
  const right = {
    actor: 'right',
    valueOf: (i: number) => ({ i, left: 0, right: 2, both: i % 4 === 0 ? 2 : 0, text }),
  };
  await write(writer, range(0, changes), left);
  const ours = await headOf();
  await git.run(['update-ref', 'refs/heads/main', start]);
  await write(writer, [...range(0, shared), ...range(changes, changes - shared)], right);
  const theirs = await headOf();
  const own: number[] = [];
  const stock: number[] = [];
  let conflicts = 0;
  let stockConflicts = 0;
  for (let i = 0; i < rounds; i++) {
    await git.run(['update-ref', 'refs/heads/main', ours]);
    await using taker = createGitWriter(options);
    const before = performance.now();
    const done = await taker.take(theirs);
    own.push(performance.now() - before);
    conflicts = done.conflicts;
    const stockBefore = performance.now();
    const args = [
      `--git-dir=${repositoryDir}`,
      'merge-tree',
      '--write-tree',
      '--name-only',
      '-z',
      ours,
      theirs,
    ];
    const found = spawnSync('git', args, { maxBuffer: 2 ** 28 });
    stock.push(performance.now() - stockBefore);
    if ((found.status ?? 255) > 1) throw new Error(found.stderr.toString());
    stockConflicts = found.stdout.toString().split('\0\0')[0]?.split('\0').length ?? 1;
  }
  execFileSync('git', [`--git-dir=${repositoryDir}`, 'fsck', '--connectivity-only'], { stdio: 'ignore' });
  const result = {
    keys,
    changesPerSide: changes,
    sharedKeys: shared,
    ownMs: round(median(own)),
    ownConflicts: conflicts,
    mergeTreeMs: round(median(stock)),
    mergeTreeConflicts: stockConflicts - 1,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
