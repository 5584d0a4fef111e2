/**
 * The only place where references become values. What comes out goes to the server it is meant for, never
 * to a log, an error or the disk.
 */

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, resolve, sep } from 'node:path';
import { parseEnv } from 'node:util';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import type { KeptReference, SecretAccess } from '../kernel/secret-access.ts';
import type { UpstreamAuth } from '../kernel/upstream-auth.ts';
import type { AuthConfig } from './server-auth-shape.ts';
import { type Reference, referenceShape } from './reference.ts';
import type { ServerEntryConfig } from './server-entry.ts';

/** What references are looked up in. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly baseDir: string;
  /** The config file, for errors. */
  readonly file?: string | undefined;
  /** Name of the entry, for errors. */
  readonly name?: string;
  /** Reads those of the store and of a vault; undefined where neither is open. */
  readonly secrets?: SecretAccess | undefined;
}

/** What the references of a config are looked up in. */
export function secretSource({
  baseDir,
  file,
  secrets,
}: Pick<SecretSource, 'baseDir' | 'file' | 'secrets'>): Partial<SecretSource> {
  return { baseDir, ...(file !== undefined && { file }), ...(secrets && { secrets }) };
}

/** An entry whose values are all text; paths are absolute. */
export type ResolvedEntry = Omit<ServerEntryConfig, 'args' | 'env' | 'headers' | 'envFile' | 'auth'> & {
  /** Absent where nothing is sent. */
  readonly auth?: UpstreamAuth;
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
  const text = await referredText(value, where, source);
  source.secrets?.noted?.(text);
  return text;
}

async function referredText(value: Reference, where: string, source: SecretSource): Promise<string> {
  if ('file' in value) return (await readSecretFile(value.file, where, source)).replace(/\r?\n$/, '');
  if (!('env' in value)) return await keptText(value, where, source);
  const found = source.env[value.env];
  if (found === undefined)
    throw invalid(source, where, `needs the environment variable ${value.env}, which is not set`);
  return found;
}

async function keptText(value: KeptReference, where: string, source: SecretSource): Promise<string> {
  const what = 'secret' in value ? `the secret ${value.secret}` : `${value.vault.path} of the vault`;
  if (!source.secrets) throw invalid(source, where, `needs ${what}, which can only be read by a coordinator`);
  try {
    return await source.secrets.read(value);
  } catch (error) {
    if (!isAppError(error, 'NOT_FOUND')) throw invalid(source, where, `needs ${what}: ${messageOf(error)}`);
    const advice = 'secret' in value ? `; set it with: git-memory-mcp secrets set ${value.secret}` : '';
    throw invalid(source, where, `needs ${what}, which is not there${advice}`);
  }
}

/** The text that a reference stands for. Throws CONFIG_INVALID naming what is missing, never a value. */
export function resolveReference(
  reference: Reference,
  where: string,
  given: Partial<SecretSource> = {},
): Promise<string> {
  return textOf(reference, where, { env: process.env, baseDir: process.cwd(), ...given });
}

/** A reference and nothing else. */
function isReference(value: object): value is Reference {
  return referenceShape.safeParse(value).success;
}

/** True where some value in it is one of the store or of a vault, which may change while a coordinator runs. */
export function usesKeptSecrets(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (isReference(value)) return 'secret' in value || 'vault' in value;
  return Object.values(value).some(usesKeptSecrets);
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

async function resolveAuth(
  auth: AuthConfig,
  where: string,
  source: SecretSource,
): Promise<UpstreamAuth | undefined> {
  if (auth.type === 'none') return undefined;
  if (auth.type === 'static') return { ...auth, header: auth.header.toLowerCase() };
  const { clientSecret, ...rest } = auth;
  if (!clientSecret) return rest;
  return { ...rest, clientSecret: await textOf(clientSecret, `${where}.clientSecret`, source) };
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
  const { args, env, headers, envFile, command, cwd, url, auth: wanted, ...rest } = entry;
  const fromFile =
    envFile === undefined
      ? undefined
      : parseEnv(await readSecretFile(fill(envFile, 'envFile'), `${where}.envFile`, source));
  const own = env && (await textMap(env, `${where}.env`, source));
  const sent = headers && (await textMap(headers, `${where}.headers`, source));
  if (sent) checkHeaders(sent, `${where}.headers`, source);
  const auth = wanted && (await resolveAuth(wanted, `${where}.auth`, source));
  return {
    ...rest,
    ...(auth && { auth }),
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
