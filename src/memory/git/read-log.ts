/** The commits between two points of main, oldest first, each with the files it changed. */

import type { Git } from './run-git.ts';
import { splitAtNul, streamGit } from './stream-git.ts';

/** One file that a commit changed. */
export interface FileChange {
  readonly path: string;
  /** Blob id; null when the file went away or is no regular file any more. */
  readonly blobId: string | null;
}

export interface LoggedCommit {
  readonly id: string;
  readonly parents: readonly string[];
  /** Milliseconds since the Unix epoch, whole seconds. */
  readonly committedMs: number;
  readonly committerEmail: string;
  readonly authorName: string;
  readonly message: string;
  /** For a merge: only what differs from all its parents. */
  readonly changes: readonly FileChange[];
}

const format = '%x01%H%n%P%n%ct%n%ce%n%an%n%B';
const order = ['--topo-order', '--reverse', '-z'];
const withFiles = ['--raw', '--no-abbrev', '--no-renames', '--root', '-c'];

export interface LogWish {
  /** Without their changes it takes a tenth of the time. */
  readonly hasChanges?: boolean;
  /** Only commits of this second and later ones, wherever in the history they are. */
  readonly sinceMs?: number;
}

/** Streams the commits that `to` has and `from` has not (all of them without `from`). Throws GIT_FAILED. */
export async function* readLog(
  git: Git,
  from: string | null,
  to: string,
  { hasChanges = true, sinceMs = 0 }: LogWish = {},
): AsyncGenerator<LoggedCommit> {
  const seconds = Math.floor(sinceMs / 1000);
  const since = seconds > 0 ? [`--since-as-filter=@${seconds}`] : [];
  const range = [...since, from === null ? to : `${from}..${to}`];
  const what = hasChanges ? withFiles : [];
  const args = ['log', ...order, ...what, `--format=${format}`, ...range, '--'];
  yield* parseLog(streamGit(git, args));
}

async function* parseLog(stream: AsyncIterable<Buffer>): AsyncGenerator<LoggedCommit> {
  let commit: (LoggedCommit & { changes: FileChange[] }) | undefined;
  let blobId: string | null | undefined;
  for await (const token of splitAtNul(stream)) {
    if (blobId !== undefined) {
      if (!token.includes('\u{fffd}')) commit?.changes.push({ path: token, blobId });
      blobId = undefined;
      continue;
    }
    const text = token.startsWith('\n') ? token.slice(1) : token;
    if (text.startsWith('\x01')) {
      if (commit) yield commit;
      commit = parseHead(text.slice(1));
    } else if (text.startsWith(':')) blobId = parseRaw(text);
  }
  if (commit) yield commit;
}

function parseHead(text: string): LoggedCommit & { changes: FileChange[] } {
  const [id = '', parents = '', seconds = '0', committerEmail = '', authorName = '', ...message] =
    text.split('\n');
  return {
    id,
    parents: parents.split(' ').filter(Boolean),
    committedMs: Number(seconds) * 1000,
    committerEmail,
    authorName,
    message: message.join('\n'),
    changes: [],
  };
}

/** The new blob of a raw line `:<mode> <mode> <id> <id> <status>`, with a colon, mode and id more a parent. */
function parseRaw(line: string): string | null {
  const sources = /^:+/.exec(line)?.[0].length ?? 1;
  const fields = line.slice(sources).split(' ');
  const mode = fields[sources];
  const id = fields[sources * 2 + 1];
  return mode?.startsWith('100') && id !== undefined ? id : null;
}
