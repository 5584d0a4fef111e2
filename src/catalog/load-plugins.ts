/** Loads the packages that `plugins` names. One that cannot be loaded is an error of the config: nothing starts. */

import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { BuiltIn } from './built-in-servers.ts';
import type { ServerDefinition } from '../kernel/define-server.ts';
import type { ExporterDefinition } from '../kernel/exporter.ts';
import { type PolicyDefinition, pluginApiVersion } from '../kernel/plugin.ts';
import { pluginPartPattern } from '../kernel/pool-options.ts';
import type { PolicyMaker } from '../kernel/selection-policy.ts';
import { exporterPart, policyPart, serverPart } from './plugins/part-shapes.ts';
import { defaultOf, failed, firstIssue, locate, partOf } from './plugins/plugin-module.ts';

const modules = z.array(z.url({ protocol: /^file$/ })).default([]);

/** Kinds of things that a plugin may bring are keys here; a further kind is one more row, its shape and its loader. */
const pluginShape = z.strictObject({
  apiVersion: z.literal(pluginApiVersion),
  name: z.string().min(1).max(64),
  servers: modules,
  policies: modules,
  exporters: modules,
});

/** What all plugins bring together. */
export interface PluginParts {
  /** In the order of the config. */
  readonly servers: readonly BuiltIn[];
  /** By `<plugin>/<policy>`. */
  readonly policies: ReadonlyMap<string, PolicyMaker>;
  /** By `<plugin>/<exporter>`. */
  readonly exporters: ReadonlyMap<string, ExporterDefinition>;
}

async function mainOf(plugin: string, baseDir: string): Promise<z.output<typeof pluginShape>> {
  const exported = await defaultOf(plugin, pathToFileURL(locate(plugin, baseDir)).href);
  const version = (exported as { apiVersion?: unknown } | undefined)?.apiVersion;
  if (version !== undefined && version !== pluginApiVersion) {
    const problem = `is made for version ${JSON.stringify(version)} of the plugin API, and this is version ${pluginApiVersion}; install the release of it that fits`;
    throw failed(plugin, problem);
  }
  const checked = pluginShape.safeParse(exported);
  if (!checked.success) throw failed(plugin, firstIssue(checked.error));
  return checked.data;
}

/** The parts of all plugins. Throws PLUGIN_FAILED with what to do. */
export async function loadPlugins(
  plugins: readonly string[],
  baseDir: string,
  builtIns: readonly BuiltIn[],
): Promise<PluginParts> {
  const owners = new Map(
    builtIns.map(({ definition }) => [`server ${definition.name}`, 'a built-in server']),
  );
  const servers: BuiltIn[] = [];
  const policies = new Map<string, PolicyMaker>();
  const exporters = new Map<string, ExporterDefinition>();

  /** Two things of one kind and name cannot be told apart. */
  function claim(plugin: string, kind: string, name: string): void {
    const owner = owners.get(`${kind} ${name}`);
    if (owner !== undefined) throw failed(plugin, `its ${kind} ${name} has the name of ${owner}`);
    owners.set(`${kind} ${name}`, `a ${kind} of ${plugin}`);
  }

  function fullName(plugin: string, kind: string, main: string, part: string): string {
    const name = `${main}/${part}`;
    if (!pluginPartPattern.test(name))
      throw failed(
        plugin,
        `its name ${JSON.stringify(main)} must be kebab-case, because its ${kind} is named after it`,
      );
    claim(plugin, kind, name);
    return name;
  }

  for (const plugin of plugins) {
    const main = await mainOf(plugin, baseDir);
    for (const module of main.servers) {
      const definition = await partOf<ServerDefinition>(plugin, module, serverPart);
      claim(plugin, 'server', definition.name);
      servers.push({ definition, module });
    }
    for (const module of main.policies) {
      const { name, create } = await partOf<PolicyDefinition>(plugin, module, policyPart);
      policies.set(fullName(plugin, 'policy', main.name, name), create);
    }
    for (const module of main.exporters) {
      const exporter = await partOf<ExporterDefinition>(plugin, module, exporterPart);
      exporters.set(fullName(plugin, 'exporter', main.name, exporter.name), exporter);
    }
  }
  return { servers, policies, exporters };
}
