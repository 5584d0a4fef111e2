/** The shared memory as MCP tools, one a row of the operations table; in `/mcp` their names stay plain. */

import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import {
  defineServer,
  ToolError,
  type ToolContext,
  type ToolDefinition,
} from '../../kernel/define-server.ts';
import { memoryResources } from './memory-resources.ts';
import {
  type MemoryInput,
  type MemoryOperation,
  memoryOperations,
  scopeShape,
} from '../../kernel/memory/operations.ts';

const settingsShape = z.strictObject({
  defaultScope: scopeShape
    .optional()
    .describe(
      'Scope of a call that names none; shared when absent. Instances in a category get category:<c>.',
    ),
});

type Settings = z.output<typeof settingsShape>;

/** Operations on one scope. `search` is left out: without a scope it looks everywhere; `stats` has no scope. */
const scopedOperations: ReadonlySet<MemoryOperation> = new Set<MemoryOperation>([
  'store',
  'retrieve',
  'list',
  'delete',
  'history',
  'diff',
  'restore',
  'store_many',
  'append',
  'increment',
  'links',
]);

/** What cannot be undone is for people: REST and the command line have it. */
const peopleOnly: ReadonlySet<MemoryOperation> = new Set<MemoryOperation>(['forget', 'rekey']);

function memoryTool(operation: MemoryOperation): ToolDefinition {
  const { title, description, input, output, annotations } = memoryOperations[operation];
  const isScoped = scopedOperations.has(operation);
  return {
    name: `memory_${operation}`,
    title,
    description,
    input,
    output,
    annotations,
    async run(args: MemoryInput<MemoryOperation>, context: ToolContext<Settings>) {
      const scope = isScoped ? context.settings.defaultScope : undefined;
      const needsScope = scope !== undefined && !('scope' in args && args.scope !== undefined);
      try {
        return await context.memory(operation, needsScope ? { ...args, scope } : args);
      } catch (error) {
        if (!(error instanceof AppError) || error.code === 'REQUEST_CANCELLED') throw error;
        throw new ToolError(`${error.code}: ${error.message}`, { cause: error });
      }
    },
  };
}

export default defineServer({
  name: 'git-memory-server',
  title: 'Git Memory',
  description:
    'The memory all servers share: durable, searchable, every version kept in a plain Git repository.',
  version: '1.0.0',
  category: 'core',
  port: 4100,
  instructions:
    'Store what should be known tomorrow under a telling, slash-separated key ("projects/apollo/decisions"). Search before you ask a person. To change a value safely, retrieve it, then store with ifMatch set to its etag; on MEMORY_CHANGED retrieve again. Nothing is lost: memory_history and memory_restore undo mistakes. Calls without a scope use this server\'s own scope, which is shared unless it was placed in a category; memory_search without a scope searches everywhere.',
  settings: settingsShape,
  resources: memoryResources,
  tools: (Object.keys(memoryOperations) as MemoryOperation[])
    .filter((operation) => !peopleOnly.has(operation))
    .map(memoryTool),
  probe: { tool: 'memory_list', arguments: { limit: 1 } },
});
