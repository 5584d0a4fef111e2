/** A built-in server's definition with everything that is the same for all its instances, worked out once. */

import { z } from 'zod';
import type { ServerDefinition, ToolDefinition } from '../../kernel/define-server.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { latestModernVersion, metaKeys } from '../../kernel/protocol.ts';
import type { ServerIdentity } from '../connection.ts';

export interface ServedDefinition {
  readonly definition: ServerDefinition;
  readonly identity: ServerIdentity;
  tool(name: string): ToolDefinition | undefined;
  /** Answer to a method that needs no instance; undefined when there is no such method. */
  staticResult(method: string): JsonObject | undefined;
}

/** Definitions only change with the program, so clients may keep what they read for an hour. */
const listTtlMs = 3_600_000;

function describeTool(tool: ToolDefinition): JsonObject {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: z.toJSONSchema(tool.input, { io: 'input', unrepresentable: 'any' }),
    outputSchema: z.toJSONSchema(tool.output, { io: 'output', unrepresentable: 'any' }),
    annotations: tool.annotations,
  };
}

/** Prepares a definition for serving. */
export function serveDefinition(definition: ServerDefinition): ServedDefinition {
  const { name, title, version, instructions, resources } = definition;
  const tools = new Map(definition.tools.map((tool) => [tool.name, tool]));
  const identity: ServerIdentity = {
    info: { name, title, version },
    capabilities: {
      tools: {},
      logging: {},
      ...(resources && { resources: { subscribe: true }, completions: {} }),
    },
    ...(instructions !== undefined && { instructions }),
  };
  const complete = {
    resultType: 'complete',
    ttlMs: listTtlMs,
    cacheScope: 'public',
    _meta: { [metaKeys.serverInfo]: identity.info },
  };
  /** The schemas of a definition nobody lists are never computed. */
  let toolList: JsonObject | undefined;

  return {
    definition,
    identity,
    tool: (name) => tools.get(name),
    staticResult(method) {
      switch (method) {
        case 'tools/list':
          toolList ??= { ...complete, tools: definition.tools.map(describeTool) };
          return toolList;
        case 'prompts/list':
          return { ...complete, prompts: [] };
        case 'resources/list':
          return { ...complete, resources: [] };
        case 'resources/templates/list':
          return { ...complete, resourceTemplates: resources?.templates ?? [] };
        case 'server/discover': {
          const { capabilities } = identity;
          return {
            ...complete,
            supportedVersions: [latestModernVersion],
            capabilities,
            ...(instructions !== undefined && { instructions }),
          };
        }
        default:
          return undefined;
      }
    },
  };
}
