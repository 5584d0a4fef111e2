/** What the handlers of the memory's operations are made of. */

import type { Clock } from '../../kernel/clock.ts';
import type {
  MemoryCaller,
  MemoryInput,
  MemoryOperation,
  MemoryOutput,
} from '../../kernel/memory/operations.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Backups } from '../backup/backups.ts';
import type { CallGate } from '../call-gate.ts';
import type { CommitLoop } from '../commit-loop.ts';
import type { FileCodec } from '../encryption/file-codec.ts';
import type { SubjectKeys } from '../encryption/subject-keys.ts';
import type { GitWriter } from '../git/git-writer.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import type { LiveIndex } from '../index/live-index.ts';
import type { Entry } from '../index/entry.ts';
import type { Searcher } from '../search/search-thread.ts';
import type { Remotes } from '../sync/remotes.ts';
import type { VersionReader } from '../versions/read-version.ts';
import type { Verifier } from '../verify/verifier.ts';
import type { Quotas } from '../quotas.ts';
import type { WritePath } from '../write-path.ts';
import type { Place } from './place.ts';

/** One function an operation; inputs are parsed already. */
export type MemoryHandlers = {
  readonly [Op in MemoryOperation]: (
    input: MemoryInput<Op>,
    caller: MemoryCaller,
  ) => Promise<MemoryOutput<Op>>;
};

export interface HandlerParts {
  readonly dataDir: string;
  readonly git: Git;
  readonly reader: ObjectReader;
  readonly index: LiveIndex;
  readonly searcher: Searcher;
  readonly versions: VersionReader;
  readonly writePath: WritePath;
  readonly quotas: Quotas;
  readonly loop: CommitLoop;
  readonly writer: GitWriter;
  readonly remotes: Remotes;
  readonly codec: FileCodec;
  readonly subjects: SubjectKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly backups: Backups;
  readonly verifier: Verifier;
  /** All calls pass it but those that take long and look at no values. */
  readonly gate: CallGate;
  /** Commits what is acknowledged, as far as Git lets us: what is not, shows without a commit. */
  readonly settleHistory: () => Promise<void>;
  /** Commits what is acknowledged, or throws what kept it from that. */
  readonly commitAll: () => Promise<void>;
  /** Brings a commit into main. */
  readonly take: CommitLoop['take'];
}

/** The value that readers see now; undefined when there is none or its time is over. */
export function readCurrent(
  { index, clock }: Pick<HandlerParts, 'index' | 'clock'>,
  { scope, key }: Place,
): Entry | undefined {
  const entry = index.get(scope, key);
  if (!entry || (entry.expiresMs !== null && entry.expiresMs <= clock.now())) return undefined;
  return entry;
}
