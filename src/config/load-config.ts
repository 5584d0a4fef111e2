/** Loads the config: flags over environment over file (with its profile) over defaults. */

import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import type { SecretAccess } from '../kernel/secret-access.ts';
import { type ConfigFile, findConfigFile, type Path, readConfigFile } from './config-file.ts';
import { describeIssues, invalidConfig, type Locate } from './config-issues.ts';
import { mergeLayers, setAt } from './merge-layers.ts';
import { fromPasted } from './pasted-servers.ts';
import { type Config, configFileShape, configShape, profileNames } from './schema.ts';
import { listSettings, parseSetting, type Setting, valueAt } from './settings.ts';

/** The layer that a value was taken from. */
export type ConfigSource = 'flag' | 'env' | 'file' | 'default';

/** Where values come from; `env` is usually `process.env`. */
export interface LoadConfigOptions {
  /** Config file; without one the default names are looked for in `cwd`. */
  readonly file?: string;
  readonly profile?: string;
  /** Values by dotted setting path, e.g. `{port: '3000'}`; undefined ones do not count. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** A checked config with the sources of its values. */
export interface LoadedConfig {
  readonly config: Config;
  /** Source of every setting by dotted path (`mcpServers.<name>` and `builtIn.<name>` one by one). */
  readonly sources: Readonly<Record<string, ConfigSource>>;
  /** Absolute path of the file that was read. */
  readonly file?: string;
  /** Relative paths of server entries start here: the file's folder, else the working directory. */
  readonly baseDir: string;
  /** Reads secrets of the store and of a vault; a coordinator puts it there. */
  readonly secrets?: SecretAccess;
}

interface Layers {
  readonly file?: ConfigFile;
  /** Top of the file without `profiles`. */
  readonly base: JsonObject;
  readonly profiles: Readonly<Record<string, JsonObject>>;
  readonly env: JsonObject;
  readonly flags: JsonObject;
}

/** Keys without a value (`mcpServers:` and nothing below) count as absent; pasted servers get our form. */
function tidy(section: unknown): JsonObject {
  if (!isJsonObject(section)) return {};
  const known = configFileShape.shape;
  const kept = Object.entries(section).filter(([key, value]) => value !== null || !(key in known));
  return Object.fromEntries(
    kept.map(([key, value]) => [key, key === 'mcpServers' ? fromPasted(value) : value]),
  );
}

function readFlagsAndEnv(
  options: LoadConfigOptions,
  settings: readonly Setting[],
): Pick<Layers, 'env' | 'flags'> {
  const env: JsonObject = {};
  const flags: JsonObject = {};
  for (const setting of settings) {
    const fromEnv = setting.envName === undefined ? undefined : options.env[setting.envName];
    if (fromEnv !== undefined && fromEnv !== '') setAt(env, setting.path, parseSetting(setting, fromEnv));
    const fromFlag = options.flags?.[setting.path];
    if (fromFlag !== undefined) setAt(flags, setting.path, parseSetting(setting, fromFlag));
  }
  if (options.profile !== undefined) flags['profile'] = options.profile;
  return { env, flags };
}

async function readLayers(options: LoadConfigOptions, settings: readonly Setting[]): Promise<Layers> {
  const path =
    options.file === undefined ? await findConfigFile(options.cwd) : resolve(options.cwd, options.file);
  const given = readFlagsAndEnv(options, settings);
  if (path === undefined) return { base: {}, profiles: {}, ...given };
  const file = await readConfigFile(path);
  const { profiles, $schema: _, ...base } = tidy(file.value);
  if (profiles !== undefined) checkProfiles(file, profiles);
  const sections = Object.entries(isJsonObject(profiles) ? profiles : {});
  return {
    file,
    base,
    profiles: Object.fromEntries(sections.map(([name, section]) => [name, tidy(section)])),
    ...given,
  };
}

/** Refuses profiles that are unknown or no maps; what they hold is checked with the whole. */
function checkProfiles(file: ConfigFile, profiles: unknown): void {
  const names = isJsonObject(profiles) ? Object.keys(profiles) : [];
  const hollow = Object.fromEntries(
    names.map((name) => [
      name,
      isJsonObject(profiles) && (profiles[name] === null || isJsonObject(profiles[name])) ? {} : false,
    ]),
  );
  const result = configFileShape.safeParse({ profiles: isJsonObject(profiles) ? hollow : profiles });
  if (!result.success) {
    throw invalidConfig(
      describeIssues(result.error, (path) => ({ origin: file.path, line: file.lineOf(path) })),
    );
  }
}

function has(layer: unknown, path: Path): boolean {
  let place = layer;
  for (const step of path) {
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, step)) return false;
    place = (place as Record<string | number, unknown>)[step];
  }
  return true;
}

/** Finds the layer that a value was taken from, the strongest first. */
function locator(layers: Layers, profile: string, settings: readonly Setting[]): Locate {
  return (path) => {
    const setting = settings.find((one) => one.path === path.slice(0, one.path.split('.').length).join('.'));
    if (has(layers.flags, path)) return { origin: setting?.flag ?? 'flags' };
    if (has(layers.env, path)) return { origin: setting?.envName ?? 'environment' };
    if (!layers.file) return { origin: 'config' };
    const inProfile = has(layers.profiles[profile], path);
    const line = layers.file.lineOf(inProfile ? ['profiles', profile, ...path] : path);
    return { origin: layers.file.path, ...(line !== undefined && { line }) };
  };
}

function check(
  layers: Layers,
  profile: string,
  settings: readonly Setting[],
): { merged: JsonObject; config: Config } {
  const file = mergeLayers(layers.base, layers.profiles[profile] ?? {});
  const merged = mergeLayers(mergeLayers(file, layers.env), layers.flags);
  const result: z.ZodSafeParseResult<Config> = configShape.safeParse(merged);
  if (!result.success) throw invalidConfig(describeIssues(result.error, locator(layers, profile, settings)));
  return { merged, config: result.data };
}

function sourceOf(path: readonly string[], layers: Layers, profile: string): ConfigSource {
  if (has(layers.flags, path)) return 'flag';
  if (has(layers.env, path)) return 'env';
  return has(layers.base, path) || has(layers.profiles[profile], path) ? 'file' : 'default';
}

function sourcesOf(
  layers: Layers,
  config: Config,
  settings: readonly Setting[],
): Record<string, ConfigSource> {
  const paths = settings.flatMap(({ path, kind }): string[][] => {
    if (kind !== 'map') return [path.split('.')];
    return Object.keys(valueAt(config, path) ?? {}).map((name) => [...path.split('.'), name]);
  });
  return Object.fromEntries(paths.map((path) => [path.join('.'), sourceOf(path, layers, config.profile)]));
}

/**
 * Loads and checks the config. The profiles that are not chosen are checked too, so that a mistake in
 * production shows in development. Throws CONFIG_INVALID; its data lists every issue.
 */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  const settings = listSettings();
  const layers = await readLayers(options, settings);
  const wished = [layers.flags, layers.env, layers.base]
    .map(({ profile }) => profile)
    .find((name) => name !== undefined);
  const chosen = typeof wished === 'string' ? wished : configShape.parse({}).profile;
  const { config } = check(layers, chosen, settings);
  for (const other of profileNames)
    if (other !== chosen && layers.profiles[other]) check(layers, other, settings);
  const sources = sourcesOf(layers, config, settings);
  const baseDir = layers.file ? dirname(layers.file.path) : resolve(options.cwd);
  const dataDir = resolve(sources['dataDir'] === 'file' ? baseDir : options.cwd, config.dataDir);
  return { config: { ...config, dataDir }, sources, baseDir, ...(layers.file && { file: layers.file.path }) };
}
