/** Loads the packages that `plugins` names. One that cannot be loaded is an error of the config: nothing starts. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { isKnownCategory } from './categories.ts';
import type { BuiltIn } from './built-in-servers.ts';
import type { ServerDefinition } from '../kernel/define-server.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { definitionOf, type PluginServer, pluginApiVersion } from '../kernel/plugin.ts';

/** Kinds of things that a plugin may bring are keys here; a further kind is one more row and its loader. */
const pluginShape = z.strictObject({
  apiVersion: z.literal(pluginApiVersion),
  name: z.string().min(1).max(64),
  servers: z.array(z.url({ protocol: /^file$/ })).default([]),
});

const serverShape = z.looseObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,23}$/, { error: 'must be kebab-case and at most 24 characters' }),
  title: z.string().min(1),
  version: z.string().min(1),
  category: z.string().refine(isKnownCategory, { error: 'is no category' }),
  port: z.int().min(1).max(65_535),
  tools: z.array(z.looseObject({ name: z.string(), run: z.custom((run) => typeof run === 'function') })),
});

function failed(plugin: string, problem: string, cause?: unknown): AppError {
  return new AppError('PLUGIN_FAILED', { plugin, problem }, { cause });
}

/** The file that a package's name, or a path that begins with a dot, stands for as seen from `baseDir`. */
function locate(plugin: string, baseDir: string): string {
  try {
    return createRequire(join(baseDir, 'config.js')).resolve(plugin);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'MODULE_NOT_FOUND') throw failed(plugin, messageOf(error), error);
    const remedy = plugin.startsWith('.')
      ? `is not there as seen from ${baseDir}`
      : `is not installed; install it with: npm install --prefix "${baseDir}" ${plugin}`;
    throw failed(plugin, remedy, error);
  }
}

/** The default export of a module; whatever it throws while it loads is told with the plugin's name. */
async function defaultOf(plugin: string, url: string): Promise<unknown> {
  try {
    return ((await import(url)) as { default?: unknown }).default;
  } catch (error) {
    throw failed(plugin, `throws while it is loaded: ${messageOf(error)}`, error);
  }
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'its default export'}: ${issue?.message ?? 'is invalid'}`;
}

async function loadServer(plugin: string, module: string): Promise<BuiltIn> {
  const exported = await defaultOf(plugin, module);
  if (typeof exported !== 'function')
    throw failed(plugin, `${module} must export a function as default, which is given the plugin API`);
  let definition: ServerDefinition;
  try {
    definition = definitionOf(exported as PluginServer);
  } catch (error) {
    throw failed(plugin, `throws while it is loaded: ${messageOf(error)}`, error);
  }
  const checked = serverShape.safeParse(definition);
  if (!checked.success) throw failed(plugin, `${module}: ${firstIssue(checked.error)}`);
  return { definition, module };
}

async function loadPlugin(plugin: string, baseDir: string): Promise<BuiltIn[]> {
  const exported = await defaultOf(plugin, pathToFileURL(locate(plugin, baseDir)).href);
  const version = (exported as { apiVersion?: unknown } | undefined)?.apiVersion;
  if (version !== undefined && version !== pluginApiVersion) {
    const problem = `is made for version ${JSON.stringify(version)} of the plugin API, and this is version ${pluginApiVersion}; install the release of it that fits`;
    throw failed(plugin, problem);
  }
  const checked = pluginShape.safeParse(exported);
  if (!checked.success) throw failed(plugin, firstIssue(checked.error));
  return await Promise.all(checked.data.servers.map((module) => loadServer(plugin, module)));
}

/** The servers of all plugins in the order of the config. Throws PLUGIN_FAILED with what to do. */
export async function loadPlugins(
  plugins: readonly string[],
  baseDir: string,
  builtIns: readonly BuiltIn[],
): Promise<BuiltIn[]> {
  const taken = new Map(builtIns.map(({ definition }) => [definition.name, 'a built-in server']));
  const found: BuiltIn[] = [];
  for (const plugin of plugins) {
    for (const server of await loadPlugin(plugin, baseDir)) {
      const { name } = server.definition;
      const owner = taken.get(name);
      if (owner !== undefined) throw failed(plugin, `its server ${name} has the name of ${owner}`);
      taken.set(name, `a server of ${plugin}`);
      found.push(server);
    }
  }
  return found;
}
