/** The index against Git: every current value at its path with its etag, and a search row for each. */

import { existsSync } from 'node:fs';
import { messageOf } from '../../kernel/errors.ts';
import { identifyFile, needsStoredKey } from '../files/key-path.ts';
import { keylessCodec } from '../encryption/file-codec.ts';
import { blobId, maxFileBytes } from '../files/memory-file.ts';
import { isReachable } from '../git/landing.ts';
import { type TreeFile, listTree } from '../git/list-tree.ts';
import type { Git } from '../git/run-git.ts';
import { type IndexSnapshot, type IndexedValue, openIndexSnapshot } from '../index/read-index.ts';
import { type WriteRecord, memoryId } from '../write-record.ts';
import { type Finding, limited } from './finding.ts';

export interface IndexCheck {
  readonly findings: Finding[];
  readonly files: number;
  readonly entries: number;
  readonly searchRows: number;
  /** Values whose bytes were hashed. */
  readonly contents: number;
}

const reindex = 'build the index anew: git-memory-mcp memory reindex';
const sampled = 500;

export interface IndexCheckInput {
  readonly git: Git;
  readonly indexPath: string;
  /** Where main stands. */
  readonly main: string | null;
  readonly isFull: boolean;
  /** What waits in the journal; read after the index was opened, so that nothing falls between. */
  readonly readWaiting: () => Promise<readonly WriteRecord[]>;
}

/** All that can be told of the index without changing it. */
export async function checkIndex(input: IndexCheckInput): Promise<IndexCheck> {
  const none = { files: 0, entries: 0, searchRows: 0, contents: 0 };
  if (!existsSync(input.indexPath)) {
    const problem = 'is not there';
    const fix = 'none; the next start builds it from Git';
    return { ...none, findings: [{ severity: 'note', where: 'index', problem, fix }] };
  }
  try {
    using index = openIndexSnapshot(input.indexPath);
    return await checkOpened(input, index);
  } catch (error) {
    const problem = `cannot be read: ${messageOf(error)}`;
    return { ...none, findings: [{ severity: 'error', where: 'index', problem, fix: reindex }] };
  }
}

async function checkOpened(input: IndexCheckInput, index: IndexSnapshot): Promise<IndexCheck> {
  const { git, main, isFull } = input;
  const waiting = await input.readWaiting();
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], where: string, problem: string, fix = reindex) =>
    findings.push({ severity, where, problem, fix });
  for (const problem of index.check(isFull)) if (problem !== 'ok') add('error', 'index file', problem);
  const { head } = index;
  if (head !== main) {
    const isBehind = head === null || (main !== null && (await isReachable(git, head, main)));
    if (isBehind)
      add('note', 'index', 'is behind main', 'none; it catches up within seconds, or at the next start');
    else add('warning', 'index', `is of commit ${head}, which main has not behind it`);
  }
  const files = await compareWithTree(git, index, waiting, findings);
  const { rows, missing, extra } = index.searchRows();
  if (missing > 0) add('error', 'search', `${missing} memories cannot be found by search`);
  if (extra > 0) add('error', 'search', `${extra} rows are of memories that are gone`);
  const pending = new Set(waiting.map(({ scope, key }) => memoryId(scope, key)));
  const known = new Set(findings.map(({ where }) => where));
  const alone = index
    .withoutVersion()
    .filter(({ scope, key }) => !pending.has(memoryId(scope, key)) && !known.has(`value ${scope}/${key}`))
    .map(({ scope, key }) => `${scope}/${key}`);
  findings.push(
    ...limited(
      alone.map((name) => ({
        severity: 'error' as const,
        where: `history ${name}`,
        problem: 'its present value is not in its history',
        fix: reindex,
      })),
    ),
  );
  if (head !== null) {
    const count = await git.run(['rev-list', '--count', head]).catch(() => undefined);
    const commits = count && Number(count.toString('utf8'));
    if (commits !== undefined && commits !== index.commits)
      add('warning', 'index', `counts ${index.commits} commits, Git ${commits}`);
  }
  const contents = checkContents(index, isFull, findings);
  return { findings, files, entries: index.entries, searchRows: rows, contents };
}

/** Walks the tree and the index side by side, both sorted by path; returns how many files the tree has. */
async function compareWithTree(
  git: Git,
  index: IndexSnapshot,
  waiting: readonly WriteRecord[],
  findings: Finding[],
): Promise<number> {
  const pending = new Map(waiting.map((record) => [memoryId(record.scope, record.key), record]));
  const wrong: Finding[] = [];
  const judge = (finding: Finding | undefined) => {
    if (finding) wrong.push(finding);
  };
  const values = index.values();
  let value = values.next();
  let files = 0;
  for await (const file of index.head === null ? [] : listTree(git, index.head)) {
    files += 1;
    const path = Buffer.from(file.path);
    while (!value.done && Buffer.compare(Buffer.from(value.value.path), path) < 0) {
      judge(judgeValueAlone(value.value, pending));
      value = values.next();
    }
    if (value.done || value.value.path !== file.path) {
      judge(judgeFileAlone(file, index, pending));
      continue;
    }
    const isSame = value.value.etag === file.blobId;
    judge(isSame ? undefined : judgeValueAlone(value.value, pending, file.blobId));
    value = values.next();
  }
  for (; !value.done; value = values.next()) judge(judgeValueAlone(value.value, pending));
  findings.push(...limited(wrong));
  return files;
}

type Pending = ReadonlyMap<string, WriteRecord>;

/** A value that Git has not, or has otherwise: right only if it waits in the journal. */
function judgeValueAlone(value: IndexedValue, pending: Pending, inGit?: string): Finding | undefined {
  const { scope, key, etag, commit, path } = value;
  const record = pending.get(memoryId(scope, key));
  // It waits, or was replaced meanwhile by one that waits.
  if (record && (record.etag === etag || record.seq > value.seq)) return undefined;
  const where = `value ${scope}/${key}`;
  if (commit === null) {
    const problem = 'was acknowledged, and is neither in Git nor in the journal';
    return { severity: 'error', where, problem, fix: 'store it again while the coordinator still shows it' };
  }
  const has = inGit === undefined ? `nothing at ${path}` : `${inGit} at ${path}`;
  return { severity: 'error', where, problem: `has etag ${etag}, but Git has ${has}`, fix: reindex };
}

/** A file without a value: right when it is no memory, another file has the key, or its deletion waits. */
function judgeFileAlone(file: TreeFile, index: IndexSnapshot, pending: Pending): Finding | undefined {
  const { path, bytes } = file;
  const identity = needsStoredKey(path) ? index.keyAtPath(path) : identifyFile(path);
  if (!identity && !needsStoredKey(path)) return undefined;
  const where = `file ${path}`;
  if (bytes > maxFileBytes)
    return {
      severity: 'note',
      where,
      problem: 'is too large for a memory',
      fix: 'make it smaller than 8 MiB',
    };
  if (identity) {
    if (index.valueAt(identity.scope, identity.key)) return undefined;
    if (pending.has(memoryId(identity.scope, identity.key))) return undefined;
  }
  return { severity: 'error', where, problem: 'is in Git, but no reader sees it', fix: reindex };
}

/** The stored bytes must have the etag as their hash; all of them, or some hundreds spread over all. */
function checkContents(index: IndexSnapshot, isFull: boolean, findings: Finding[]): number {
  const step = isFull ? 1 : Math.max(1, Math.ceil(index.entries / sampled));
  const wrong: Finding[] = [];
  let checked = 0;
  for (const { scope, key, path, etag, content, tags } of index.contents(step)) {
    checked += 1;
    const isSame = blobId(content) === etag;
    const isTagged =
      isSame && tags === JSON.stringify(keylessCodec.inspect(scope, path, content).file?.tags ?? []);
    if (isTagged) continue;
    const problem = isSame ? 'has other tags than its file' : 'has other bytes than its etag says';
    wrong.push({ severity: 'error', where: `value ${scope}/${key}`, problem, fix: reindex });
  }
  findings.push(...limited(wrong));
  return checked;
}
