/**
 * The only place where references become values. What comes out goes to the server it is meant for, never
 * to a log, an error or the disk.
 */

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, resolve, sep } from 'node:path';
import { parseEnv } from 'node:util';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { Reference } from './reference.ts';
import type { ServerEntryConfig } from './server-entry.ts';

/** What references are looked up in. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly baseDir: string;
  /** The config file, for errors. */
  readonly file?: string;
  /** Name of the entry, for errors. */
  readonly name?: string;
}

/** An entry whose values are all text; paths are absolute. */
export type ResolvedEntry = Omit<ServerEntryConfig, 'args' | 'env' | 'headers' | 'envFile'> & {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
};

type Value = string | number | boolean | Reference;

/** `${NAME}`, `${env:NAME}`, `${input:id}`, `${NAME:-default}`; a doubled `$${` stands for itself. */
const variablePattern = /\$?\$\{([^}]*)\}/g;

/** The environment variable that stands in for an input VS Code would ask for: `github-token` → `GITHUB_TOKEN`. */
export function inputVariable(id: string): string {
  return id.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
}

function invalid(source: SecretSource, where: string, problem: string): AppError {
  return new AppError('CONFIG_INVALID', {
    file: source.file ?? 'config',
    problem: `${where} ${problem}`,
    path: where,
  });
}

function variable(name: string, source: SecretSource): string | undefined {
  switch (name) {
    case 'userHome':
      return homedir();
    case 'workspaceFolder':
      return source.baseDir;
    case 'workspaceFolderBasename':
      return basename(source.baseDir);
    case 'pathSeparator':
    case '/':
      return sep;
    default: {
      const input = /^input:(.*)$/s.exec(name);
      return source.env[input ? inputVariable(input[1]!) : name.replace(/^env:/, '')];
    }
  }
}

/** Fills the variables of a text; throws CONFIG_INVALID naming a variable that is not set. */
function interpolate(text: string, where: string, source: SecretSource): string {
  return text.replaceAll(variablePattern, (match, inner: string) => {
    if (match.startsWith('$$')) return match.slice(1);
    const [name = '', fallback] = inner.split(/:-(.*)/s);
    const value = variable(name, source) ?? fallback;
    if (value !== undefined) return value;
    const wanted = name.startsWith('input:') ? inputVariable(name.slice(6)) : name.replace(/^env:/, '');
    throw invalid(source, where, `needs the environment variable ${wanted}, which is not set`);
  });
}

async function readSecretFile(path: string, where: string, source: SecretSource): Promise<string> {
  try {
    return await readFile(resolve(source.baseDir, path), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    throw invalid(source, where, `needs the file ${path}, which cannot be read (${code})`);
  }
}

async function textOf(value: Value, where: string, source: SecretSource): Promise<string> {
  if (typeof value === 'string') return interpolate(value, where, source);
  if (typeof value !== 'object') return String(value);
  if ('file' in value) return (await readSecretFile(value.file, where, source)).replace(/\r?\n$/, '');
  const found = source.env[value.env];
  if (found === undefined)
    throw invalid(source, where, `needs the environment variable ${value.env}, which is not set`);
  return found;
}

/** The text that a reference stands for. Throws CONFIG_INVALID naming what is missing, never a value. */
export function resolveReference(
  reference: Reference,
  where: string,
  given: Partial<SecretSource> = {},
): Promise<string> {
  return textOf(reference, where, { env: process.env, baseDir: process.cwd(), ...given });
}

/** `{ env: NAME }` or `{ file: PATH }` and nothing else. */
function isReference(value: object): value is Reference {
  const [[name, text] = [], ...more] = Object.entries(value);
  return more.length === 0 && (name === 'env' || name === 'file') && typeof text === 'string';
}

/**
 * Settings of whatever shape, with the text in place of each reference in them; the settings themselves are none,
 * even where `file` is all they have. Throws CONFIG_INVALID as above.
 */
export async function resolveSettings(
  settings: object,
  where: string,
  given: Partial<SecretSource> = {},
): Promise<object> {
  const pairs = Object.entries(settings).map(async ([name, part]: [string, unknown]) => {
    const place = `${where}.${name}`;
    if (typeof part !== 'object' || part === null) return [name, part] as const;
    const resolving = isReference(part)
      ? resolveReference(part, place, given)
      : resolveSettings(part, place, given);
    return [name, await resolving] as const;
  });
  const resolved = await Promise.all(pairs);
  return Array.isArray(settings) ? resolved.map(([, part]) => part) : Object.fromEntries(resolved);
}

async function textMap(
  values: Readonly<Record<string, Value>>,
  where: string,
  source: SecretSource,
): Promise<Record<string, string>> {
  const pairs = Object.entries(values).map(
    async ([name, value]) => [name, await textOf(value, `${where}.${name}`, source)] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
}

/** Header values that would end the header early are refused before they reach the wire. */
function checkHeaders(headers: Readonly<Record<string, string>>, where: string, source: SecretSource): void {
  for (const [name, value] of Object.entries(headers)) {
    if (/(?!\t)\p{Cc}/u.test(value)) throw invalid(source, `${where}.${name}`, 'holds a control character');
  }
}

/**
 * Reads the references of one entry; what is not given comes from this process. Throws CONFIG_INVALID
 * naming the variable or file that is missing, never a value.
 */
export async function resolveSecrets(
  entry: ServerEntryConfig,
  given: Partial<SecretSource> = {},
): Promise<ResolvedEntry> {
  const source: SecretSource = { env: process.env, baseDir: process.cwd(), ...given };
  const where = source.name === undefined ? 'entry' : `mcpServers.${source.name}`;
  const fill = (text: string, key: string) => interpolate(text, `${where}.${key}`, source);
  const { args, env, headers, envFile, command, cwd, url, ...rest } = entry;
  const fromFile =
    envFile === undefined
      ? undefined
      : parseEnv(await readSecretFile(fill(envFile, 'envFile'), `${where}.envFile`, source));
  const own = env && (await textMap(env, `${where}.env`, source));
  const sent = headers && (await textMap(headers, `${where}.headers`, source));
  if (sent) checkHeaders(sent, `${where}.headers`, source);
  return {
    ...rest,
    ...(command !== undefined && { command: fill(command, 'command') }),
    ...(url !== undefined && { url: fill(url, 'url') }),
    ...(cwd !== undefined && { cwd: resolve(source.baseDir, fill(cwd, 'cwd')) }),
    ...(args && {
      args: args.map((arg, index) => (typeof arg === 'string' ? fill(arg, `args.${index}`) : String(arg))),
    }),
    ...((fromFile ?? own) && { env: { ...fromFile, ...own } as Record<string, string> }),
    ...(sent && { headers: sent }),
  };
}
