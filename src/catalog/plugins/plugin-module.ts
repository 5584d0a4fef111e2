/** Modules of plugins: found, imported, called; whatever goes wrong is told with the plugin's name. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { z } from 'zod';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { type PluginApi, pluginApi } from '../../kernel/plugin.ts';

export function failed(plugin: string, problem: string, cause?: unknown): AppError {
  return new AppError('PLUGIN_FAILED', { plugin, problem }, { cause });
}

/** The file that a package's name, or a path that begins with a dot, stands for as seen from `baseDir`. */
export function locate(plugin: string, baseDir: string): string {
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

/** The default export of a module. */
export async function defaultOf(plugin: string, url: string): Promise<unknown> {
  try {
    return ((await import(url)) as { default?: unknown }).default;
  } catch (error) {
    throw failed(plugin, `throws while it is loaded: ${messageOf(error)}`, error);
  }
}

/** What the function that a module exports makes of the API, if it has the shape; itself, not a copy. */
export async function partOf<T>(plugin: string, module: string, shape: z.ZodType): Promise<T> {
  const exported = await defaultOf(plugin, module);
  if (typeof exported !== 'function')
    throw failed(plugin, `${module} must export a function as default, which is given the plugin API`);
  let part: unknown;
  try {
    part = (exported as (api: PluginApi) => unknown)(pluginApi);
  } catch (error) {
    throw failed(plugin, `throws while it is loaded: ${messageOf(error)}`, error);
  }
  const checked = shape.safeParse(part);
  if (!checked.success) throw failed(plugin, `${module}: ${firstIssue(checked.error)}`);
  return part as T;
}

export function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'its default export'}: ${issue?.message ?? 'is invalid'}`;
}
