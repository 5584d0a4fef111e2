/** Runs the official conformance runner against a URL and reads what it wrote. */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const packageUrl = new URL('../../node_modules/@modelcontextprotocol/conformance/', import.meta.url);

export const revisions = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof revisions)[number];

export interface ConformanceReport {
  readonly exitCode: number;
  /** Scenarios the revision requires of a server. */
  readonly required: readonly string[];
  /** Required scenarios that ran with at least one passed check. */
  readonly passed: readonly string[];
  /** Failed checks and warnings of required scenarios, one line each. */
  readonly complaints: readonly string[];
  readonly output: string;
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

async function requiredScenarios(revision: Revision): Promise<string[]> {
  const text = await readFile(new URL(`requirements/${revision}.yaml`, packageUrl), 'utf8');
  return (parse(text) as { server: string[] }).server;
}

/** The runner's folders are `server-<scenario>-<time>`; a name may begin another's name. */
function scenarioOf(folder: string): string {
  return folder.replace(/^server-/, '').replace(/-\d{4}-\d{2}-\d{2}T.*$/, '');
}

async function readChecks(outputDir: string): Promise<Map<string, Check[]>> {
  const checks = new Map<string, Check[]>();
  for (const folder of await readdir(outputDir)) {
    const text = await readFile(join(outputDir, folder, 'checks.json'), 'utf8');
    checks.set(scenarioOf(folder), JSON.parse(text) as Check[]);
  }
  return checks;
}

/** Runs the required set of one revision against `url`. */
export async function runConformance(url: string, revision: Revision): Promise<ConformanceReport> {
  const outputDir = await mkdtemp(join(tmpdir(), 'git-memory-conformance-'));
  try {
    const script = fileURLToPath(new URL('dist/index.js', packageUrl));
    const args = [script, 'server', '--url', url, '--requirements', revision, '-o', outputDir];
    const { exitCode, output } = await new Promise<{ exitCode: number; output: string }>((resolve) => {
      execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
        resolve({ exitCode: error ? Number(error.code ?? 1) : 0, output: `${stdout}\n${stderr}` }),
      );
    });
    const checks = await readChecks(outputDir);
    const required = await requiredScenarios(revision);
    const isPassed = (scenario: string): boolean =>
      checks.get(scenario)?.some((check) => check.status === 'SUCCESS') ?? false;
    return {
      exitCode,
      required,
      passed: required.filter(isPassed),
      complaints: required.flatMap((scenario) =>
        (checks.get(scenario) ?? [])
          .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
          .map(({ status, id, errorMessage }) => `${status} ${scenario}: ${id}: ${errorMessage ?? ''}`),
      ),
      output,
    };
  } finally {
    await rm(outputDir, { recursive: true, force: true });
  }
}
