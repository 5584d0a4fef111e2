/**
 * What an npm package that brings servers looks like. A plugin imports nothing of ours: its modules are handed what
 * they need, so there is one copy of it in the process, and a plugin has no version of ours to keep up with.
 */

import { z } from 'zod';
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

/** The default export of a plugin's main module. */
export interface Plugin {
  readonly apiVersion: typeof pluginApiVersion;
  /** For people. */
  readonly name: string;
  /** URLs of modules, each with a `PluginServer` as its default export: `new URL('./dice.js', import.meta.url).href`. */
  readonly servers?: readonly string[];
}

/** The definition that a module of a built-in server or of a plugin exports. */
export function definitionOf(exported: ServerDefinition | PluginServer): ServerDefinition {
  return typeof exported === 'function' ? exported(pluginApi) : exported;
}
