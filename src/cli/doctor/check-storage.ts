/** The data folder: writable, room on its disk, and whose it is. */

import { access, constants, mkdtemp, readFile, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject } from '../../kernel/json-rpc.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { addressFileName, findCoordinator } from '../find-coordinator.ts';
import { formatBytes } from '../output.ts';
import { createRestClient } from '../rest-client.ts';
import type { Finding } from './finding.ts';

const mebibyte = 1024 * 1024;
const failBelowBytes = 100 * mebibyte;
const warnBelowBytes = 1024 * mebibyte;
const statusTimeoutMs = 3000;

/** The folder itself, or the nearest one above it that exists. */
async function nearestFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found || dirname(folder) === folder) return folder;
  }
}

/** Writes and removes a file: permission bits alone say nothing on Windows and on read-only mounts. */
export async function checkDataDir(dataDir: string): Promise<Finding> {
  const check = 'data folder';
  const folder = await nearestFolder(dataDir);
  try {
    if (!(await stat(folder)).isDirectory())
      return {
        check,
        status: 'fail',
        detail: `${folder} is not a folder`,
        fix: 'choose another with --data',
      };
    await access(folder, constants.W_OK);
    await rm(await mkdtemp(join(folder, '.git-memory-probe-')), { recursive: true });
  } catch (error) {
    return {
      check,
      status: 'fail',
      detail: `${folder} is not writable: ${messageOf(error)}`,
      fix: 'give this user the right to write there, or choose another folder with --data',
    };
  }
  return { check, status: 'ok', detail: folder === dataDir ? dataDir : `${dataDir} (will be made)` };
}

/** Room on the disk of the data folder. */
export async function checkDisk(dataDir: string): Promise<Finding> {
  const check = 'disk space';
  try {
    const { bavail, bsize } = await statfs(await nearestFolder(dataDir));
    const freeBytes = bavail * bsize;
    const detail = `${formatBytes(freeBytes)} free`;
    if (freeBytes < failBelowBytes)
      return {
        check,
        status: 'fail',
        detail,
        fix: `free at least ${formatBytes(failBelowBytes)}, or choose another disk with --data`,
      };
    if (freeBytes < warnBelowBytes)
      return { check, status: 'warn', detail, fix: 'free some space before the memory grows' };
    return { check, status: 'ok', detail };
  } catch (error) {
    return {
      check,
      status: 'warn',
      detail: `cannot be told: ${messageOf(error)}`,
      fix: 'look with your system tools',
    };
  }
}

/** Whether a coordinator holds the folder, and whether it answers. */
export async function checkLock(dataDir: string, context: CliContext): Promise<Finding> {
  const check = 'coordinator';
  const text = await readFile(join(dataDir, addressFileName), 'utf8').catch(() => undefined);
  if (text === undefined) return { check, status: 'ok', detail: 'not running' };
  let url = '';
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value) && typeof value['url'] === 'string') ({ url } = value as { url: string });
    const { key, trust } = await findCoordinator({ data: dataDir }, context);
    const status = await createRestClient(url, { key, trust }).call('status', {}, statusTimeoutMs);
    return { check, status: 'ok', detail: `process ${status.pid} answers at ${url}` };
  } catch {
    const detail = `${addressFileName} names ${url === '' ? 'nothing' : url}, but nobody answers there: the last one was killed, or it hangs`;
    return {
      check,
      status: 'warn',
      detail,
      fix: 'start again; it cleans up. If start says ALREADY_RUNNING, end the process it names',
    };
  }
}
