/** `git status --porcelain=v2` as data (git-status(1), "Porcelain Format Version 2"). */

import { z } from 'zod';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from './repository.ts';

const changes = {
  M: 'modified',
  T: 'type-changed',
  A: 'added',
  D: 'deleted',
  R: 'renamed',
  C: 'copied',
} as const;
const conflicts = {
  DD: 'both deleted',
  AU: 'added by us',
  UD: 'deleted by them',
  UA: 'added by them',
  DU: 'deleted by us',
  AA: 'both added',
  UU: 'both modified',
} as const;

const changeShape = z.object({
  path: z.string().describe('Path inside the repository.'),
  change: z
    .enum(['modified', 'type-changed', 'added', 'deleted', 'renamed', 'copied'])
    .describe('What happened to it.'),
  from: z.string().optional().describe('Former path of a renamed or copied file.'),
});

export const conflictShape = z.object({
  path: z.string().describe('Path inside the repository.'),
  kind: z.string().describe('Kind of conflict, e.g. "both modified" or "deleted by them".'),
});

export const statusShape = z.object({
  branch: z.string().nullable().describe('Current branch; null when HEAD is detached.'),
  commit: z.string().nullable().describe('Current commit; null before the first one.'),
  upstream: z.string().optional().describe('Branch that this one follows.'),
  ahead: z.number().int().optional().describe('Commits that the upstream lacks.'),
  behind: z.number().int().optional().describe('Commits of the upstream that are missing here.'),
  clean: z.boolean().describe('True when nothing is changed, staged or untracked.'),
  staged: z.array(changeShape).describe('Changes that the next commit takes.'),
  unstaged: z.array(changeShape).describe('Changes not yet added.'),
  untracked: z.array(z.string()).describe('Files and folders Git does not know.'),
  conflicts: z.array(conflictShape).describe('Files with conflicts to settle.'),
  operation: z
    .enum(['merge', 'rebase', 'cherry-pick', 'revert', 'bisect'])
    .nullable()
    .describe('Operation that is half done.'),
  truncated: z.boolean().describe('True when there is more than is shown.'),
});
export type Status = z.output<typeof statusShape>;
type Change = Status['staged'][number];

const maxRows = 5000;

interface Parsed extends Omit<Status, 'clean' | 'operation' | 'truncated'> {
  truncated: boolean;
}

function addChange(parsed: Parsed, xy: string, path: string, from?: string): void {
  const sides: [string, Change[]][] = [
    [xy.charAt(0), parsed.staged],
    [xy.charAt(1), parsed.unstaged],
  ];
  for (const [letter, list] of sides) {
    if (!(letter in changes)) continue;
    const change = changes[letter as keyof typeof changes];
    const isMoved = change === 'renamed' || change === 'copied';
    list.push({ path, change, ...(isMoved && from !== undefined && { from }) });
  }
}

function addHeader(parsed: Parsed, line: string): void {
  const [, key, value = ''] = /^# branch\.(\S+) (.*)$/.exec(line) ?? [];
  if (key === 'oid') parsed.commit = value === '(initial)' ? null : value;
  if (key === 'head') parsed.branch = value === '(detached)' ? null : value;
  if (key === 'upstream') parsed.upstream = value;
  const counts = key === 'ab' ? /^\+(\d+) -(\d+)$/.exec(value) : undefined;
  if (counts) [parsed.ahead, parsed.behind] = [Number(counts[1]), Number(counts[2])];
}

/** Everything after the n-th space: a path may hold spaces itself. */
function afterFields(line: string, fields: number): string {
  let at = -1;
  for (let count = 0; count < fields; count += 1) at = line.indexOf(' ', at + 1);
  return line.slice(at + 1);
}

/** Parses the output of `status --porcelain=v2 --branch -z`. */
export function parseStatus(text: string): Parsed {
  const parsed: Parsed = {
    branch: null,
    commit: null,
    staged: [],
    unstaged: [],
    untracked: [],
    conflicts: [],
    truncated: false,
  };
  const records = text.split('\0');
  for (let index = 0; index < records.length; index += 1) {
    const line = records[index] ?? '';
    const xy = line.slice(2, 4);
    if (index > maxRows) parsed.truncated = true;
    if (line.startsWith('# ')) addHeader(parsed, line);
    else if (line.startsWith('1 ')) addChange(parsed, xy, afterFields(line, 8));
    else if (line.startsWith('2 ')) {
      index += 1;
      addChange(parsed, xy, afterFields(line, 9), records[index]);
    } else if (line.startsWith('u ')) {
      parsed.conflicts.push({
        path: afterFields(line, 10),
        kind: conflicts[xy as keyof typeof conflicts] ?? xy,
      });
    } else if (line.startsWith('? ')) parsed.untracked.push(line.slice(2));
    if (parsed.truncated) break;
  }
  return parsed;
}

const operationFiles = [
  ['MERGE_HEAD', 'merge'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['BISECT_LOG', 'bisect'],
] as const;

/** The operation a repository is in the middle of, by the files Git leaves for it. */
export async function operationOf(repository: Repository): Promise<Status['operation']> {
  for (const [file, operation] of operationFiles) {
    const isThere = await lstat(join(repository.gitDir, file)).then(
      () => true,
      () => false,
    );
    if (isThere) return operation;
  }
  return null;
}

export async function statusOf(repository: Repository): Promise<Status> {
  const args = [
    'status',
    '--porcelain=v2',
    '--branch',
    '-z',
    '--ignore-submodules=all',
    '--untracked-files=normal',
  ];
  const answer = await repository.read(args);
  const lastEnd = answer.text.lastIndexOf('\0') + 1;
  const parsed = parseStatus(answer.text.slice(0, lastEnd));
  const { staged, unstaged, untracked, conflicts } = parsed;
  return {
    ...parsed,
    truncated: parsed.truncated || answer.truncated,
    clean: [staged, unstaged, untracked, conflicts].every((list) => list.length === 0),
    operation: await operationOf(repository),
  };
}
