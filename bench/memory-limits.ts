/** What the machine itself gives: the limits that the memory's figures stand beside. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Appends groups of `groupSize` values to a file, each group synced; values a second. */
export async function measureAppend(folder: string, groupSize: number, forMs: number, value: Buffer) {
  const handle = await open(join(folder, `append-${groupSize}`), 'w');
  const group = Buffer.concat(Array.from({ length: groupSize }, () => value));
  const start = performance.now();
  let groups = 0;
  while (performance.now() - start < forMs) {
    await handle.write(group, 0, group.length, groups * group.length);
    await handle.datasync();
    groups += 1;
  }
  const seconds = (performance.now() - start) / 1000;
  await handle.close();
  return (groups * groupSize) / seconds;
}

/** A file to be written, as Git gets it. */
export interface FileWrite {
  readonly path: string;
  readonly content: Buffer;
}

/** One commit of fast-import's stream. */
function toCommit(writes: readonly FileWrite[], atSeconds: number): Buffer {
  const head = Buffer.from(`commit refs/heads/main\ncommitter x <x@x> ${atSeconds} +0000\ndata 0\n`);
  const changes = writes.flatMap(({ path, content }) => [
    Buffer.from(`M 100644 inline ${path}\ndata ${content.length}\n`),
    content,
    Buffer.from('\n'),
  ]);
  return Buffer.concat([head, ...changes, Buffer.from('\n')]);
}

/**
 * The same writes as a stream for `git fast-import`, with a checkpoint after each flush; writes a second. Stops
 * feeding when `budgetMs` is over: it is slower the more files a folder has, so that flatters it.
 */
export async function measureFastImport(
  dir: string,
  flushes: readonly (readonly FileWrite[])[],
  options: { writesPerCommit: number; budgetMs: number },
): Promise<number> {
  const { writesPerCommit, budgetMs } = options;
  execFileSync('git', ['init', '--quiet', '--bare', dir]);
  const settings = ['-c', 'core.fsync=committed,loose-object,pack,pack-metadata,reference'];
  const start = performance.now();
  const child = spawn('git', [...settings, 'fast-import', '--quiet', '--done'], {
    cwd: dir,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  let writes = 0;
  const send = async (bytes: Buffer) => {
    if (!child.stdin.write(bytes)) await once(child.stdin, 'drain');
  };
  for (const flush of flushes) {
    for (let at = 0; at < flush.length && performance.now() - start < budgetMs; at += writesPerCommit) {
      const group = flush.slice(at, at + writesPerCommit);
      writes += group.length;
      await send(toCommit(group, 1_700_000_000 + writes));
    }
    await send(Buffer.from('checkpoint\n\n'));
  }
  child.stdin.end('done\n');
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  return (1000 * writes) / (performance.now() - start);
}

/** `git add` and `git commit` for each write, without syncs; writes a second. */
export async function measureNaiveGit(folder: string, count: number, value: Buffer): Promise<number> {
  const dir = join(folder, 'naive');
  await mkdir(dir);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', '-c', 'gc.auto=0', ...args], {
      cwd: dir,
    });
  git('init', '--quiet');
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    await writeFile(join(dir, `key-${i}.json`), value);
    git('add', `key-${i}.json`);
    git('commit', '--quiet', '-m', `store ${i}`);
  }
  return (1000 * count) / (performance.now() - start);
}
