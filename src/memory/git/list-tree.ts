/** All files of a commit, in the order of the bytes of their paths. */

import { AppError } from '../../kernel/errors.ts';
import { type Git, toGitError } from './run-git.ts';

export interface TreeFile {
  readonly path: string;
  readonly blobId: string;
  readonly bytes: number;
}

/** Streams the regular files of a commit; paths that are no UTF-8 are left out. Throws GIT_FAILED. */
export async function* listTree(git: Git, commit: string): AsyncGenerator<TreeFile> {
  const args = ['ls-tree', '-r', '-z', '--long', '--full-tree', commit];
  const child = git.start(args);
  child.stdin.on('error', () => {});
  child.stdin.end();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', (error) => reject(toGitError(error, args)));
    child.on('close', (code) => resolve(code ?? 255));
  });
  exit.catch(() => {});
  try {
    let rest = Buffer.alloc(0);
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      const bytes = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
        const file = parseRow(bytes.toString('utf8', start, end));
        if (file) yield file;
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
    const code = await exit;
    if (code !== 0)
      throw new AppError('GIT_FAILED', { command: 'ls-tree', problem: errors.trim() || `exit ${code}` });
  } finally {
    child.kill();
  }
}

/** `<mode> blob <id> <size>\t<path>`; links and submodules are no files. */
function parseRow(row: string): TreeFile | undefined {
  const [, blobId, bytes, path] = /^100\d{3} blob ([0-9a-f]{40}) +(\d+)\t([\s\S]+)$/.exec(row) ?? [];
  if (blobId === undefined || path === undefined || path.includes('\u{fffd}')) return undefined;
  return { path, blobId, bytes: Number(bytes) };
}
