/**
 * A Git bundle as a stream (https://git-scm.com/docs/gitformat-bundle, version 2). `git bundle create` would read the
 * refs anew, at a later moment than the journal's; so the head is ours, and only the pack comes from Git.
 */

import type { Git } from '../git/run-git.ts';
import { streamGit } from '../git/stream-git.ts';
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
  const wanted = [...new Set(refs.map(({ id }) => id))];
  yield* streamGit(git, ['pack-objects', ...packOptions], `${wanted.join('\n')}\n`);
}
