/**
 * The operations of the shared memory, as data: name, words for a model, input and output shapes.
 * MCP tools, REST routes and CLI verbs all derive from this table.
 */

import type { z } from 'zod';
import { memoryBackupOperations } from './backup-operations.ts';
import { memoryChangeOperations } from './change-operations.ts';
import { memoryLinkOperations } from './link-operations.ts';
import { memoryConflictOperations } from './conflict-operations.ts';
import { memoryPrivacyOperations } from './privacy-operations.ts';
import { memoryReadOperations } from './read-operations.ts';
import { memoryWorkspaceOperations } from './workspace-operations.ts';
import { memorySearchOperation } from './search-operation.ts';
import { memorySyncOperations } from './sync-operations.ts';
import { memoryWriteOperations } from './write-operations.ts';

export { keyShape, scopeShape, sequenceShape, threadShape, valueShape } from './shapes.ts';

export const memoryOperations = {
  ...memoryWriteOperations,
  ...memoryReadOperations,
  ...memoryBackupOperations,
  ...memoryChangeOperations,
  ...memoryLinkOperations,
  ...memoryWorkspaceOperations,
  ...memorySyncOperations,
  ...memoryConflictOperations,
  ...memoryPrivacyOperations,
  ...memorySearchOperation,
} as const;

export type MemoryOperation = keyof typeof memoryOperations;
export type MemoryInput<Op extends MemoryOperation> = z.infer<(typeof memoryOperations)[Op]['input']>;
export type MemoryOutput<Op extends MemoryOperation> = z.infer<(typeof memoryOperations)[Op]['output']>;

/** Who asks: goes into the commit's author and trailers. */
export interface MemoryCaller {
  /** A person, agent or client, e.g. `claude-desktop`. */
  readonly actor: string;
  /** The server instance it came through, e.g. `git-memory-server-4100`, or `rest`, `cli`. */
  readonly agent: string;
  /** Request id that log lines share. */
  readonly requestId?: string;
}

/** The memory as every part sees it. Inputs are validated by the engine; failures are AppErrors. */
export interface MemoryClient {
  call<Op extends MemoryOperation>(
    operation: Op,
    input: MemoryInput<Op>,
    caller: MemoryCaller,
  ): Promise<MemoryOutput<Op>>;
}
