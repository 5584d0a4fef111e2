/**
 * What an npm package that brings servers, selection policies or exporters looks like. A plugin imports nothing of ours: its modules are handed what
 * they need, so there is one copy of it in the process, and a plugin has no version of ours to keep up with.
 */

import { z } from 'zod';
import type { ExporterDefinition } from './exporter.ts';
import type { PolicyMaker } from './selection-policy.ts';
import { defineServer, defineTool, type ServerDefinition, ToolError, withContent } from './define-server.ts';

/** Grows when a plugin made for the former one would not work. */
export const pluginApiVersion = 1;

/** What a plugin's modules get. */
export const pluginApi = {
  apiVersion: pluginApiVersion,
  defineServer,
  defineTool,
  ToolError,
  withContent,
  z,
};
export type PluginApi = typeof pluginApi;

/** The default export of a module that brings a server: it is called in the thread that runs the server. */
export type PluginServer = (api: PluginApi) => ServerDefinition;

/** A way to choose among equals; `<name of the plugin>/<name>` in the config. */
export interface PolicyDefinition {
  /** kebab-case. */
  readonly name: string;
  readonly create: PolicyMaker;
}

/** The default exports of modules that bring a policy or an exporter: they are called once, in the main thread. */
export type PluginPolicy = (api: PluginApi) => PolicyDefinition;
export type PluginExporter = (api: PluginApi) => ExporterDefinition;

/** The default export of a plugin's main module. */
export interface Plugin {
  readonly apiVersion: typeof pluginApiVersion;
  /** For people; kebab-case where it brings policies or exporters, which are named after it. */
  readonly name: string;
  /** URLs of modules, each with a `PluginServer` as its default export: `new URL('./dice.js', import.meta.url).href`. */
  readonly servers?: readonly string[];
  /** As `servers`, with a `PluginPolicy` each. */
  readonly policies?: readonly string[];
  /** As `servers`, with a `PluginExporter` each. */
  readonly exporters?: readonly string[];
}

/** The definition that a module of a built-in server or of a plugin exports. */
export function definitionOf(exported: ServerDefinition | PluginServer): ServerDefinition {
  return typeof exported === 'function' ? exported(pluginApi) : exported;
}
