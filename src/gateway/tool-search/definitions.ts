/** The three tools of search mode, as clients see them. */

import type { JsonObject } from '../../kernel/json-rpc.ts';

/** Tokens of an answer of `find_tools` unless the caller says otherwise. */
export const defaultMaxTokens = 1500;
/** Tools in an answer of `find_tools` unless the caller says otherwise. */
export const defaultLimit = 8;
export const maxLimit = 50;
/** Definitions in an answer of `describe_tool`. */
export const maxDescribed = 20;

const readOnly = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };

const toolShape = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Name for describe_tool and call_tool.' },
    server: { type: 'string', description: 'Server it belongs to.' },
    category: { type: 'string' },
    title: { type: 'string' },
    description: { type: 'string', description: 'The beginning of what it says of itself.' },
    parameters: { type: 'string', description: 'Its parameters with their types; ? marks optional ones.' },
    also: {
      type: 'string',
      description: 'The same tool on other instances.',
    },
  },
  required: ['name', 'server', 'category', 'parameters'],
};

export const searchToolDefinitions: readonly (JsonObject & { name: string })[] = [
  {
    name: 'find_tools',
    title: 'Find tools',
    description:
      'Find tools by what they do, best first: say it in a few plain words, e.g. "rename a file" or "query a database". Without a query: the servers there are, with how many tools each has.',
    inputSchema: {
      type: 'object',
      properties: {
        query: { type: 'string', maxLength: 1000, description: 'What the tool should do, in any language.' },
        server: { type: 'string', description: 'Only tools of this server.' },
        category: { type: 'string', description: 'Only tools of this category, e.g. database.' },
        limit: {
          type: 'integer',
          minimum: 1,
          maximum: maxLimit,
          description: `Most tools to return; default ${defaultLimit}.`,
        },
        maxTokens: {
          type: 'integer',
          minimum: 100,
          maximum: 50_000,
          description: `Most tokens of the answer; default ${defaultMaxTokens}.`,
        },
      },
      additionalProperties: false,
    },
    outputSchema: {
      type: 'object',
      properties: {
        tools: { type: 'array', items: toolShape, description: 'Best first.' },
        found: { type: 'integer', description: 'How many fit, those not returned included.' },
        servers: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              server: { type: 'string' },
              title: { type: 'string' },
              category: { type: 'string' },
              tools: { type: 'integer' },
            },
            required: ['server', 'title', 'category', 'tools'],
          },
          description: 'Without a query: the servers.',
        },
      },
      required: ['tools', 'found'],
    },
    annotations: { title: 'Find tools', ...readOnly },
  },
  {
    name: 'describe_tool',
    title: 'Describe tools',
    description:
      'Full definitions of tools by name, input schemas included. Needed only where the parameters that find_tools shows do not say enough.',
    inputSchema: {
      type: 'object',
      properties: {
        names: {
          type: 'array',
          items: { type: 'string' },
          minItems: 1,
          maxItems: maxDescribed,
          description: 'Names from find_tools.',
        },
      },
      required: ['names'],
      additionalProperties: false,
    },
    outputSchema: {
      type: 'object',
      properties: {
        tools: { type: 'array', items: { type: 'object' }, description: 'Definitions, in the order asked.' },
        unknown: { type: 'array', items: { type: 'string' }, description: 'Names of no tool.' },
      },
      required: ['tools', 'unknown'],
    },
    annotations: { title: 'Describe tools', ...readOnly },
  },
  {
    name: 'call_tool',
    title: 'Call a tool',
    description:
      'Call a tool that find_tools found. Its answer comes back as if it had been called directly; what it may do, its own description says.',
    inputSchema: {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'Name from find_tools.' },
        arguments: { type: 'object', description: 'Arguments of that tool.', additionalProperties: true },
      },
      required: ['name'],
      additionalProperties: false,
    },
    annotations: { title: 'Call a tool', readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  },
];
