/**
 * A Git bundle as a stream (https://git-scm.com/docs/gitformat-bundle, version 2). `git bundle create` would read the
 * refs anew, at a later moment than the journal's; so the head is ours, and only the pack comes from Git.
 */

import { AppError } from '../../kernel/errors.ts';
import { type Git, toGitError } from '../git/run-git.ts';
import type { Ref } from './capture.ts';

const packOptions = [
  '--revs',
  '--stdout',
  '--threads=1',
  '--window-memory=64m',
  '--delta-base-offset',
  '--quiet',
];

/** All objects that the refs reach; there must be at least one ref. Throws GIT_FAILED. */
export async function* bundleOf(git: Git, refs: readonly Ref[]): AsyncGenerator<Uint8Array> {
  const lines = refs.map(({ id, name }) => `${id} ${name}\n`);
  yield Buffer.from(`# v2 git bundle\n${lines.join('')}\n`);
  const args = ['pack-objects', ...packOptions];
  const child = git.start(args);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', (error) => reject(toGitError(error, args)));
    child.on('close', (code) => resolve(code ?? 255));
  });
  exit.catch(() => {});
  child.stdin.on('error', () => {});
  child.stdin.end(`${[...new Set(refs.map(({ id }) => id))].join('\n')}\n`);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const code = await exit;
    if (code !== 0)
      throw new AppError('GIT_FAILED', {
        command: 'pack-objects',
        problem: errors.trim() || `exit code ${code}`,
      });
  } finally {
    child.kill();
  }
}
