/**
 * The rules for files that come in by a push, one function a rule. A rule for the whole history must hold
 * in every new commit, because every clone gets them all; a rule for the result only at the end of the
 * push, so that a mistake can be mended by one more commit.
 */

import { AppError } from '../../kernel/errors.ts';
import { problemOfContent } from '../files/check-file.ts';
import { addFanOut, fanOutDepths } from '../files/fan-out.ts';
import {
  type FileIdentity,
  identifyFile,
  keyPath,
  keyStem,
  needsStoredKey,
  siblingPaths,
} from '../files/key-path.ts';
import { storedKeyOf } from '../encryption/file-codec.ts';
import { maxFileBytes } from '../files/memory-file.ts';
import { conflictIdOf } from '../merge/conflict-record.ts';
import type { ChangedFile } from './changed-files.ts';

/** What is wrong with a path, and what to do about it. */
export interface FileProblem {
  readonly problem: string;
  readonly fix: string;
}

/** A commit that the push brings. */
export interface NewCommit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly committerEmail: string;
  /** A merge that a coordinator made: only those write into `conflicts/`. */
  readonly isOurMerge: boolean;
}

type HistoryCheck = (file: ChangedFile, commit: NewCommit) => FileProblem | undefined;

/** A memory file with its content. */
export interface PushedContent {
  readonly file: ChangedFile;
  readonly identity: FileIdentity | undefined;
  readonly content: Buffer;
}

type ContentCheck = (pushed: PushedContent) => FileProblem | undefined;

/** Files beside the memories that people may keep in the repository. */
export const allowedRootFiles: ReadonlySet<string> = new Set(['.gitattributes', '.gitignore', 'README.md']);

const plainFile = '100644';
const kindsOfModes: Readonly<Record<string, string>> = {
  '100755': 'an executable file',
  '100664': 'a file with odd permissions',
  '120000': 'a symbolic link',
  '160000': 'a submodule',
};

/** Rules that every new commit has to keep. */
export const historyChecks: readonly HistoryCheck[] = [
  function plainFilesOnly({ path, now }) {
    if (!now || now.mode === plainFile) return undefined;
    const fix =
      now.mode === '100755'
        ? `git update-index --chmod=-x '${path}'`
        : 'keep plain files only, or a .gitignore for what is yours alone';
    return { problem: `is ${kindsOfModes[now.mode] ?? `an entry of mode ${now.mode}`}`, fix };
  },
  function readableName({ path }) {
    if (!path.includes('\u{fffd}') && !/\p{Cc}/u.test(path)) return undefined;
    return { problem: 'has a name that is not printable UTF-8', fix: 'rename it' };
  },
  function coordinatorIsClosed({ path }) {
    if (!path.startsWith('coordinator/')) return undefined;
    const problem = 'belongs to the coordinator, which a push cannot change';
    return { problem, fix: 'leave it as it is; the memory tools can write the scope coordinator' };
  },
  function conflictsAreOnlyRemoved({ path, now }, { isOurMerge }) {
    if (!path.startsWith('conflicts/') || !now) return undefined;
    if (isOurMerge && conflictIdOf(path) !== undefined) return undefined;
    const problem = 'is a record of a merge, which a push can only remove';
    return { problem, fix: 'delete it once the conflict is settled, or leave it' };
  },
  function memoriesOnly({ path, now }) {
    if (!now || path.startsWith('coordinator/') || path.startsWith('conflicts/')) return undefined;
    if (allowedRootFiles.has(path) || isMemoryPath(path)) return undefined;
    const problem = 'is no memory';
    const fix = `memories are .md or .json files under shared/, categories/<category>/ or servers/<id>/; list what is yours alone (.obsidian/) in .gitignore. At the top: ${[...allowedRootFiles].join(', ')}`;
    return { problem, fix };
  },
];

/** A shortened name tells its key only together with the content, which is looked at later. */
function isMemoryPath(path: string): boolean {
  return identifyFile(path) !== undefined || (needsStoredKey(path) && /\.(?:md|json)$/.test(path));
}

/** Rules for the content of memories at the end of the push. */
export const contentChecks: readonly ContentCheck[] = [
  function parses({ file, identity, content }) {
    const problem = problemOfContent(identity?.kind ?? kindOfEnding(file.path), content);
    return problem === undefined ? undefined : { problem, fix: 'mend it' };
  },
  function nameIsOurs({ file, identity }) {
    // What has been there so far may go on under its name.
    if (file.wasThere || identity?.canonical === true) return undefined;
    if (!identity) return { problem: 'has a shortened name without its key', fix: 'put the key inside' };
    const path = canonicalPath(identity);
    const fix = path === undefined ? 'choose a shorter name' : `git mv '${file.path}' '${path}'`;
    return { problem: 'has a name that not every disk takes', fix };
  },
];

function kindOfEnding(path: string): FileIdentity['kind'] {
  return path.endsWith('.json') ? 'json' : 'text';
}

function canonicalPath({ scope, key, kind }: FileIdentity): string | undefined {
  try {
    return keyPath(scope, key, kind);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** Other paths at which a file would be the same memory: the other kind, and other levels of fan-out. */
export function otherPaths(path: string, { scope, key }: FileIdentity): string[] {
  const stem = keyStem(scope, key);
  const stems = fanOutDepths.map((levels) => addFanOut(stem, key, levels));
  return stems.flatMap(siblingPaths).filter((other) => other !== path);
}

/** The rule that a key has one file. */
export function twinProblem(other: string): FileProblem {
  return { problem: `is the same memory as ${other}`, fix: 'keep one of the two' };
}

/** The memory that a pushed file is, by its path and the key inside. */
export function identifyPushed(path: string, content: Buffer): FileIdentity | undefined {
  if (!needsStoredKey(path)) return identifyFile(path);
  return identifyFile(path, storedKeyOf(path, content));
}

/** The rule for the size of one file. */
export function checkSize(bytes: number): FileProblem | undefined {
  if (bytes <= maxFileBytes) return undefined;
  return {
    problem: `has ${bytes} bytes, the limit is ${maxFileBytes}`,
    fix: 'take it out of the history (git rebase -i) and split it',
  };
}
