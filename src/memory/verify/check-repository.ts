/** The repository alone: its objects, its refs, its keep marks. */

import { readFile, readdir } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../kernel/errors.ts';
import { epochRef } from '../erasure/epoch.ts';
import { readKeepFile } from '../git/pack-files.ts';
import { readMain } from '../git/move-ref.ts';
import type { Git } from '../git/run-git.ts';
import { type Finding, limited } from './finding.ts';

const recover = 'recover from a backup or a clone: git-memory-mcp memory recover';

/** Every object's hash and form, and that nothing that a ref reaches is missing; the slow part. */
export async function checkObjects(git: Git): Promise<Finding[]> {
  const { code, lines } = await fsck(git);
  if (code === 0) return [];
  const told = lines.filter((line) => /^(?:error|fatal|missing|broken|bad)/.test(line));
  const problems = told.length > 0 ? told : [`git fsck ended with ${code}`];
  return limited(
    problems.map((problem) => ({ severity: 'error', where: 'repository objects', problem, fix: recover })),
  );
}

async function fsck(git: Git): Promise<{ code: number; lines: string[] }> {
  const child = git.start(['fsck', '--full', '--strict', '--no-dangling', '--no-progress']);
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  } catch {
    // Not every system lets us; then it runs as it is.
  }
  let text = '';
  const take = (chunk: string) => {
    text = (text + chunk).slice(-1_000_000);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  child.stdin.on('error', () => {});
  child.stdin.end();
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit) => resolve(exit ?? 255));
  });
  return { code, lines: text.split('\n').filter(Boolean) };
}

/** Main is there and a commit; so is all else that has a name. */
export async function checkRefs(git: Git): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    if (readMain(git.repositoryDir) === null)
      findings.push({
        severity: 'note',
        where: 'ref refs/heads/main',
        problem: 'is not there: nothing was ever committed',
        fix: 'none is needed for a new memory; else recover from a backup or a clone',
      });
  } catch (error) {
    findings.push({
      severity: 'error',
      where: 'ref refs/heads/main',
      problem: messageOf(error),
      fix: recover,
    });
  }
  const format = '%(refname)%00%(objecttype)%00%(*objecttype)';
  try {
    const out = (await git.run(['for-each-ref', `--format=${format}`])).toString('utf8');
    for (const row of out.split('\n').filter(Boolean)) {
      const [name = '', type, peeled] = row.split('\0');
      if (type === 'commit' || peeled === 'commit' || name === epochRef) continue;
      const problem = `names a ${peeled === '' ? type : peeled}, not a commit`;
      findings.push({
        severity: 'warning',
        where: `ref ${name}`,
        problem,
        fix: 'delete it if you do not know it',
      });
    }
  } catch (error) {
    findings.push({ severity: 'error', where: 'refs', problem: messageOf(error), fix: recover });
  }
  return findings;
}

/** Marks that keep a pack: ours are there for moments only. */
export async function checkKeepMarks(git: Git, isLive: boolean): Promise<Finding[]> {
  const folder = join(git.repositoryDir, 'objects', 'pack');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.keep'));
  const findings: Finding[] = [];
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const isOurs = readKeepFile(text) !== undefined;
    if (isOurs && isLive) continue;
    findings.push({
      severity: 'note',
      where: `pack ${name}`,
      problem: isOurs
        ? 'was being installed when the coordinator was killed'
        : 'keeps its pack from being folded',
      fix: isOurs ? 'none; the next start settles it' : 'remove it if you did not put it there',
    });
  }
  return findings;
}
