/**
 * Checks everything that the memory's files promise one another, without changing any of them. Beside a running
 * coordinator it runs in a worker, and what changes under it is looked at again before it counts.
 */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { TargetSettings } from '../backup/open-target.ts';
import { readMain } from '../git/move-ref.ts';
import { type Git, createGit } from '../git/run-git.ts';
import { checkBackups } from './check-backups.ts';
import { type IndexCheck, checkIndex } from './check-index.ts';
import { type JournalCheck, checkJournal } from './check-journal.ts';
import { checkKeepMarks, checkObjects, checkRefs } from './check-repository.ts';
import type { Finding } from './finding.ts';

/** What to check, as plain data. */
export interface VerifyJob {
  readonly dataDir: string;
  /** A coordinator runs on the folder. */
  readonly isLive: boolean;
  /** Every value's bytes instead of some hundreds, and every backup restored. */
  readonly isFull: boolean;
  readonly backups?:
    | { readonly target: TargetSettings; readonly encryptionKey?: string | undefined }
    | undefined;
}

export interface VerifyReport {
  /** False when there is an error. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
  readonly checked: {
    readonly commits: number;
    readonly files: number;
    readonly entries: number;
    readonly contents: number;
    readonly searchRows: number;
    readonly journalRecords: number;
    readonly backups: number;
  };
  readonly seconds: number;
}

/** How far a check has come, in words. */
export type OnStep = (step: string) => void;

const looks = 3;
const betweenLooksMs = 250;
const severities: readonly Finding['severity'][] = ['error', 'warning', 'note'];

/** Runs all checks; what is wrong is in the report, never thrown. */
export async function verifyMemory(job: VerifyJob, onStep: OnStep): Promise<VerifyReport> {
  const startedMs = performance.now();
  const dataDir = resolve(job.dataDir);
  const git = createGit(join(dataDir, 'memory.git'));
  const findings: Finding[] = [];
  let commits = 0;
  let look: Look | undefined;
  if (!existsSync(join(git.repositoryDir, 'HEAD'))) {
    const fix = 'name the right folder with --data, or recover from a backup or a clone';
    findings.push({ severity: 'error', where: 'repository', problem: `there is none in ${dataDir}`, fix });
  } else {
    onStep('references');
    findings.push(...(await checkRefs(git)));
    onStep('journal and index');
    look = await lookUntilSteady(job, git, dataDir);
    findings.push(...look.findings);
    onStep('objects of the repository');
    findings.push(...(await checkObjects(git)));
    commits = await countCommits(git);
  }
  let backups = 0;
  if (job.backups) {
    onStep('backups');
    const onProgress = (done: number, total: number) => onStep(`backup ${done + 1} of ${total}`);
    const checked = await checkBackups({ ...job.backups, isFull: job.isFull, onProgress });
    findings.push(...checked.findings);
    ({ backups } = checked);
  }
  const { files = 0, entries = 0, contents = 0, searchRows = 0 } = look?.index ?? {};
  return {
    healthy: findings.every(({ severity }) => severity !== 'error'),
    findings: findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity)),
    checked: {
      commits,
      files,
      entries,
      contents,
      searchRows,
      journalRecords: look?.journal.records ?? 0,
      backups,
    },
    seconds: Number(((performance.now() - startedMs) / 1000).toFixed(3)),
  };
}

interface Look {
  readonly findings: readonly Finding[];
  readonly index: IndexCheck;
  readonly journal: JournalCheck;
}

/** While a coordinator writes, only what several looks agree on is wrong. */
async function lookUntilSteady(job: VerifyJob, git: Git, dataDir: string): Promise<Look> {
  let last = await lookOnce(job, git, dataDir);
  for (let more = job.isLive ? looks - 1 : 0; more > 0 && last.findings.length > 0; more--) {
    await wait(betweenLooksMs);
    const next = await lookOnce(job, git, dataDir);
    const seen = new Set(last.findings.map((finding) => JSON.stringify(finding)));
    last = { ...next, findings: next.findings.filter((finding) => seen.has(JSON.stringify(finding))) };
  }
  return last;
}

async function lookOnce(job: VerifyJob, git: Git, dataDir: string): Promise<Look> {
  const main = mainOrNull(git);
  let journal: JournalCheck = { findings: [], records: 0, waiting: [] };
  let isRead = false;
  const readWaiting = async () => {
    isRead = true;
    journal = await checkJournal(git, join(dataDir, 'journal'), mainOrNull(git), job.isLive);
    return journal.waiting;
  };
  const index = await checkIndex({
    git,
    indexPath: join(dataDir, 'index.sqlite'),
    main,
    isFull: job.isFull,
    readWaiting,
  });
  if (!isRead) await readWaiting();
  const keeps = await checkKeepMarks(git, job.isLive);
  return { findings: [...journal.findings, ...index.findings, ...keeps], index, journal };
}

/** A damaged ref is told of by the check of the refs. */
function mainOrNull(git: Git): string | null {
  try {
    return readMain(git.repositoryDir);
  } catch {
    return null;
  }
}

async function countCommits(git: Git): Promise<number> {
  const main = mainOrNull(git);
  if (main === null) return 0;
  const out = await git.run(['rev-list', '--count', main]).catch(() => undefined);
  return Number(out?.toString('utf8') ?? 0);
}
