/** What shares a memory with others: access for Git clients, and remotes. */

import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { CommitLoop } from '../commit-loop.ts';
import { listObjectFiles, purgeObjects } from '../erasure/purge-objects.ts';
import type { CallGate } from '../call-gate.ts';
import type { Git } from '../git/run-git.ts';
import type { WritePath } from '../write-path.ts';
import { type GitAccess, createGitAccess } from './git-access.ts';
import type { RemoteOptions } from './remote-git.ts';
import { type Remotes, createRemotes } from './remotes.ts';
import type { Take } from './take.ts';
import { type PushLimits, defaultPushLimits } from './validate-push.ts';

/** What of the memory's options is about sharing. */
export interface SharingOptions {
  /** Git remotes to synchronize with. */
  readonly remotes?: readonly RemoteOptions[];
  /** What one push may bring. */
  readonly pushLimits?: Partial<PushLimits>;
}

export interface Sharing extends AsyncDisposable {
  /** Commits all that is acknowledged. */
  readonly commitAll: () => Promise<void>;
  readonly take: Take;
  readonly gitAccess: GitAccess;
  readonly remotes: Remotes;
}

/** Opens it; disposing it ends what runs for others. */
export function openSharing(
  parts: {
    readonly git: Git;
    readonly dataDir: string;
    readonly writePath: WritePath;
    readonly loop: CommitLoop;
    readonly gate: CallGate;
    readonly clock: Clock;
    readonly logger: Logger;
  },
  options: SharingOptions,
): Sharing {
  const { git, writePath, loop, gate } = parts;

  const flush = async (): Promise<void> => {
    await writePath.settled();
    await loop.flush();
  };

  const take: Take = async (commit, before, wish) => {
    const release = writePath.hold();
    try {
      await writePath.settled();
      return await loop.take(commit, before, wish);
    } finally {
      release();
    }
  };

  /** Nobody else may have objects that no ref names yet. */
  const dropUnreachable = () =>
    gate.alone(() => loop.rewriteHistory(() => purgeObjects(git, listObjectFiles(git.repositoryDir))));

  const limits = { ...defaultPushLimits, ...options.pushLimits };
  const gitAccess = createGitAccess({ ...parts, flush, take, limits });
  const remotes = createRemotes({ ...parts, flush, take, dropUnreachable, remotes: options.remotes ?? [] });
  return {
    commitAll: flush,
    take,
    gitAccess,
    remotes,
    async [Symbol.asyncDispose]() {
      await Promise.all([gitAccess[Symbol.asyncDispose](), remotes[Symbol.asyncDispose]()]);
    },
  };
}
