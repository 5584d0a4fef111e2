/** The public API for embedding: load a config, start a coordinator, define servers. */

export { loadConfig, type LoadedConfig } from './config/load-config.ts';
export { type Coordinator, type CoordinatorOptions, startCoordinator } from './coordinator.ts';
export {
  defineServer,
  defineTool,
  type ServerDefinition,
  type ToolDefinition,
  ToolError,
  withContent,
} from './kernel/define-server.ts';
export { AppError, type ErrorCode, isAppError } from './kernel/errors.ts';
export { createLogger, type Logger } from './kernel/log.ts';
export type { Plugin, PluginApi, PluginExporter, PluginPolicy, PluginServer } from './kernel/plugin.ts';
