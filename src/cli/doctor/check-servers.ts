/** Each configured server: can its command be found, does its URL answer, can its secrets be read. */

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, resolve } from 'node:path';
import type { LoadedConfig } from '../../config/load-config.ts';
import { maskUrl } from '../../config/mask-secrets.ts';
import {
  type ResolvedEntry,
  resolveSecrets,
  secretSource,
  type SecretSource,
} from '../../config/resolve-secrets.ts';
import type { ServerEntryConfig } from '../../config/server-entry.ts';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { keptSecrets } from '../secrets/kept-secrets.ts';
import type { Finding } from './finding.ts';

const reachTimeoutMs = 3000;
const atATime = 16;

async function isProgram(path: string, platform: NodeJS.Platform): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return false;
  if (platform === 'win32') return true;
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function valueOf(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1];
}

/** Looks a command up as the system would. */
async function findProgram(entry: ResolvedEntry, { env, platform, cwd }: CliContext): Promise<boolean> {
  const command = entry.command!;
  const own = { ...env, ...entry.env };
  const endings =
    platform === 'win32' ? ['', ...(valueOf(own, 'PATHEXT') ?? '.COM;.EXE;.BAT;.CMD').split(';')] : [''];
  const isPath = isAbsolute(command) || /[\\/]/.test(command);
  const folders = isPath ? [entry.cwd ?? cwd] : (valueOf(own, 'PATH') ?? '').split(delimiter).filter(Boolean);
  for (const folder of folders) {
    for (const ending of endings)
      if (await isProgram(resolve(folder, command + ending), platform)) return true;
  }
  return false;
}

async function checkCommand(check: string, entry: ResolvedEntry, context: CliContext): Promise<Finding> {
  if (entry.cwd !== undefined && (await stat(entry.cwd).catch(() => undefined))?.isDirectory() !== true) {
    return {
      check,
      status: 'fail',
      detail: `its folder ${entry.cwd} is not there`,
      fix: 'correct cwd in the config',
    };
  }
  if (await findProgram(entry, context)) return { check, status: 'ok', detail: `${entry.command} found` };
  return {
    check,
    status: 'fail',
    detail: `${entry.command} is not on PATH`,
    fix: `install ${entry.command}, or give its full path as command`,
  };
}

/** Any HTTP answer means that something is there; what it says is the coordinator's business. */
async function checkUrl(check: string, entry: ResolvedEntry): Promise<Finding> {
  const shown = maskUrl(entry.url!);
  try {
    const response = await fetch(entry.url!, {
      headers: { ...entry.headers, accept: 'text/event-stream' },
      signal: AbortSignal.timeout(reachTimeoutMs),
    });
    await response.body?.cancel();
    if (response.status === 401 || response.status === 403) {
      return {
        check,
        status: 'warn',
        detail: `${shown} answers ${response.status}`,
        fix: 'check the credentials in its headers',
      };
    }
    return { check, status: 'ok', detail: `${shown} answers` };
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    const code =
      cause instanceof Error && 'code' in cause
        ? String(cause.code)
        : error instanceof Error
          ? error.name
          : 'unknown';
    return {
      check,
      status: 'fail',
      detail: `${shown} does not answer (${code})`,
      fix: 'start that server, or correct its url',
    };
  }
}

async function checkServer(
  name: string,
  entry: ServerEntryConfig,
  source: Partial<SecretSource>,
  context: CliContext,
): Promise<Finding> {
  const check = `server ${name}`;
  if (entry.disabled === true) return { check, status: 'ok', detail: 'disabled' };
  let resolved: ResolvedEntry;
  try {
    resolved = await resolveSecrets(entry, { ...source, name });
  } catch (error) {
    const detail = isAppError(error, 'CONFIG_INVALID') ? String(error.data['problem']) : messageOf(error);
    return { check, status: 'fail', detail, fix: 'set it before start, or correct the reference' };
  }
  if (resolved.command !== undefined) return await checkCommand(check, resolved, context);
  if (resolved.url !== undefined) return await checkUrl(check, resolved);
  return { check, status: 'ok', detail: `built-in ${resolved.builtin}` };
}

/** All of them, a few at a time, in the order of the config. */
export async function checkServers(loaded: LoadedConfig, context: CliContext): Promise<Finding[]> {
  const entries = Object.entries(loaded.config.mcpServers);
  const findings: Finding[] = [];
  await using secrets = keptSecrets(loaded, context);
  const source = { env: context.env, ...secretSource({ baseDir: loaded.baseDir, secrets }) };
  for (let start = 0; start < entries.length; start += atATime) {
    const batch = entries.slice(start, start + atATime);
    findings.push(
      ...(await Promise.all(batch.map(([name, entry]) => checkServer(name, entry, source, context)))),
    );
  }
  return findings;
}
