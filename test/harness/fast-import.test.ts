/** `git fast-import` as the oracle: the same writes through it and through our writer give the same trees. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blobId } from '../../src/memory/files/memory-file.ts';
import { createGitWriter } from '../../src/memory/git/git-writer.ts';
import { prepareRepository } from '../../src/memory/git/repository.ts';
import { createGit } from '../../src/memory/git/run-git.ts';
import type { WriteRecord } from '../../src/memory/write-record.ts';
import { createTempFolder, runGit } from '../fixtures/memory-in-temp.ts';

interface Write {
  readonly path: string;
  /** Null deletes. */
  readonly content: Buffer | null;
  readonly actor: string;
}

async function createRepository(folder: string, name: string) {
  const journalDir = join(folder, `${name}-journal`);
  await mkdir(journalDir);
  const repositoryDir = join(folder, `${name}.git`);
  const git = createGit(repositoryDir);
  await prepareRepository(git);
  return { git, repositoryDir, journalDir };
}

function toRecord(write: Write, seq: number): WriteRecord {
  const { path, content, actor } = write;
  return {
    seq,
    op: content ? 'store' : 'delete',
    scope: 'shared',
    key: path,
    path,
    removePaths: [],
    etag: content && blobId(content),
    content,
    atMs: 1_700_000_000_000 + seq,
    actor,
    agent: 'oracle',
  };
}

/** A commit a write, as fast-import reads it. */
function toScript(writes: readonly Write[]): Buffer {
  const parts = writes.flatMap(({ path, content }) => {
    const name = JSON.stringify(path);
    const change = content ? `M 100644 inline ${name}\ndata ${content.length}\n` : `D ${name}\n`;
    const head = `commit refs/heads/main\ncommitter x <x@x> 1 +0000\ndata 0\n${change}`;
    return [Buffer.from(head), content ?? Buffer.alloc(0), Buffer.from(content ? '\n\n' : '\n')];
  });
  return Buffer.concat(parts);
}

/** Trees of all commits through both; ours gets the writes in the given batches. */
async function treesOf(batches: readonly (readonly Write[])[]) {
  await using folder = await createTempFolder();
  const ours = await createRepository(folder.path, 'ours');
  const theirs = await createRepository(folder.path, 'theirs');
  await using writer = createGitWriter(ours);
  let seq = 0;
  for (const batch of batches) await writer.commit(batch.map((write) => toRecord(write, (seq += 1))));
  await theirs.git.run(['fast-import', '--quiet'], toScript(batches.flat()));
  expect(runGit(ours.repositoryDir, 'fsck', '--full', '--strict')).toBe('');
  const log = (dir: string) => runGit(dir, 'log', '--format=%T', 'main').trim().split('\n');
  return { ours: log(ours.repositoryDir), theirs: log(theirs.repositoryDir) };
}

const name = fc.constantFrom('a', 'b', 'a-b', 'a.b', 'a0', 'ab', '_', 'ก้', 'é', 'z%41', '~');
const folders = fc.array(name, { maxLength: 3 });
const path = fc
  .tuple(folders, name, fc.constantFrom('.md', '.json'))
  .map(([above, last, ending]) => [...above, last + ending].join('/'));
const content = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const write: fc.Arbitrary<Write> = fc.record({
  path,
  content: fc.option(content, { freq: 4 }),
  actor: fc.constantFrom('ann', 'bob'),
});

describe('our commits against git fast-import', () => {
  it('have the same tree after every write, in whatever batches they come', async () => {
    const batches = fc.array(fc.array(write, { minLength: 1, maxLength: 30 }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(batches, async (all) => {
        const { ours, theirs } = await treesOf(all);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 12 },
    );
  });

  it('end at the same tree when many writes share a commit', async () => {
    const many = fc.array(write, { minLength: 300, maxLength: 600, size: 'max' });
    await fc.assert(
      fc.asyncProperty(many, many, async (first, second) => {
        const { ours, theirs } = await treesOf([first, second]);
        expect(ours[0]).toBe(theirs[0]);
        expect(ours.length).toBeLessThan(theirs.length);
      }),
      { numRuns: 3 },
    );
  });
});
