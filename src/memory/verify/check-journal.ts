/** The journal: records whole, in order, and everything before them in Git. */

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findLanded, findLandedWrites, isReachable, landingPath, readLandingFile } from '../git/landing.ts';
import type { Git } from '../git/run-git.ts';
import { decodeSegment } from '../journal/record-codec.ts';
import type { WriteRecord } from '../write-record.ts';
import type { Finding } from './finding.ts';

export interface JournalCheck {
  readonly findings: Finding[];
  readonly records: number;
  /** Records that are not in Git, oldest first. */
  readonly waiting: WriteRecord[];
}

const keepAndRecover = 'keep the file, then restore what is missing from a backup or a clone';

/** Looks at all segments; `main` is where main stands. A running coordinator appends and deletes meanwhile. */
export async function checkJournal(
  git: Git,
  journalDir: string,
  main: string | null,
  isLive: boolean,
): Promise<JournalCheck> {
  const findings: Finding[] = [];
  const names = (await readdir(journalDir).catch((): string[] => [])).sort();
  const segments = names.filter((name) => /^\d{16}\.journal$/.test(name));
  for (const name of names.filter((one) => one.endsWith('.damaged'))) {
    const problem = 'was put aside because it was damaged in its middle';
    findings.push({ severity: 'warning', where: `journal ${name}`, problem, fix: keepAndRecover });
  }
  const records: WriteRecord[] = [];
  for (const name of segments) {
    const bytes = await readFile(join(journalDir, name)).catch(() => undefined);
    // Let go meanwhile: all of it is in Git.
    if (!bytes) continue;
    const content = decodeSegment(bytes);
    const where = `journal ${name}`;
    if (content.damaged)
      findings.push({
        severity: 'error',
        where,
        problem: `is damaged at byte ${content.goodBytes}`,
        fix: keepAndRecover,
      });
    else if (content.goodBytes < bytes.length && !(isLive && name === segments.at(-1)))
      findings.push({
        severity: 'note',
        where,
        problem: `ends in ${bytes.length - content.goodBytes} bytes that were never acknowledged`,
        fix: 'none; the next start cuts them off',
      });
    findings.push(...checkOrder(where, records.at(-1)?.seq ?? 0, content.records));
    records.push(...content.records);
  }
  const { landedSeq, finding } = await checkLanding(git, journalDir, main, records);
  if (finding) findings.push(finding);
  const waiting = records.filter(({ seq }) => seq > landedSeq);
  return { findings, records: records.length, waiting };
}

function checkOrder(where: string, before: number, records: readonly WriteRecord[]): Finding[] {
  const findings: Finding[] = [];
  let last = before;
  for (const { seq } of records) {
    if (seq <= last) {
      const problem = `sequence ${seq} comes after ${last}`;
      findings.push({ severity: 'error', where, problem, fix: keepAndRecover });
    } else if (seq > last + 1 && last > 0) {
      const problem = `sequences ${last + 1} to ${seq - 1} are not there: refused writes, or a lost segment`;
      findings.push({
        severity: 'note',
        where,
        problem,
        fix: 'none when a disk was full or failing at that time',
      });
    }
    last = Math.max(last, seq);
  }
  return findings;
}

/** The mark of how far Git has come must name a commit that main has behind it. */
async function checkLanding(
  git: Git,
  journalDir: string,
  main: string | null,
  records: readonly WriteRecord[],
) {
  const path = landingPath(journalDir);
  const file = readLandingFile(path);
  const where = 'journal landed.json';
  if (!file) {
    const landed = await findLandedWrites(git, main, records);
    const fix = 'none; the next start finds it again from the commits';
    const finding: Finding = { severity: 'warning', where, problem: 'is missing or cannot be read', fix };
    return { landedSeq: landed?.seq ?? 0, ...(records.length > 0 && { finding }) };
  }
  const landed = await findLanded(git, file, main);
  if (!landed || (await isReachable(git, landed.commit, main))) return { landedSeq: landed?.seq ?? 0 };
  const problem = `writes up to ${landed.seq} were in commit ${landed.commit}, which main has not behind it any more`;
  const fix = 'someone moved main back, or it was recovered: compare with a clone or a backup';
  return { landedSeq: landed.seq, finding: { severity: 'error', where, problem, fix } as Finding };
}
