/** Node and Git: there, and new enough. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CliContext } from '../context.ts';
import type { Finding } from './finding.ts';

const run = promisify(execFile);
const oldestNode = 24;
const oldestGit = [2, 38] as const;

/** This process already runs on it, so it can only be fine or newer than what was tried. */
export function checkNode(version = process.versions.node): Finding {
  const major = Number(version.split('.')[0]);
  if (major >= oldestNode) return { check: 'node', status: 'ok', detail: `v${version}` };
  const detail = `v${version} is too old`;
  return {
    check: 'node',
    status: 'fail',
    detail,
    fix: `install Node.js ${oldestNode} or newer from https://nodejs.org`,
  };
}

/** Reads `git version 2.39.5 (Apple Git-154)` and `git version 2.47.1.windows.1`. */
export function judgeGit(output: string): Finding {
  const match = /(\d+)\.(\d+)(\.\d+)?/.exec(output);
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])];
  const isNewEnough = major > oldestGit[0] || (major === oldestGit[0] && minor >= oldestGit[1]);
  if (match && isNewEnough) return { check: 'git', status: 'ok', detail: match[0] };
  return {
    check: 'git',
    status: 'fail',
    detail: match ? `${match[0]} is too old` : 'gave no version',
    fix: `install Git ${oldestGit.join('.')} or newer from https://git-scm.com`,
  };
}

/** Asks the Git on PATH. */
export async function checkGit({ env }: CliContext): Promise<Finding> {
  try {
    const { stdout } = await run('git', ['--version'], {
      env: { ...env },
      timeout: 10_000,
      windowsHide: true,
    });
    return judgeGit(stdout);
  } catch {
    return {
      check: 'git',
      status: 'fail',
      detail: 'not found on PATH',
      fix: 'install Git 2.38 or newer from https://git-scm.com',
    };
  }
}
