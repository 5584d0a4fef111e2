/** Keeps thinking processes in the Git memory; concurrent edits are redone on the newest version, so none is lost. */

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { AppError, isAppError } from '../../../kernel/errors.ts';
import { ToolError, type ToolContext } from '../../../kernel/define-server.ts';
import { type MemoryInput, type MemoryOutput, scopeShape } from '../../../kernel/memory/operations.ts';
import { type Process, processShape } from './process.ts';

export const settingsShape = z.strictObject({
  defaultScope: scopeShape
    .optional()
    .describe('Memory scope of the processes; shared when absent. Instances in a category get category:<c>.'),
});

export type ThinkingContext = ToolContext<z.output<typeof settingsShape>>;

/** Fields every tool that works on one process takes. */
export const processIdShape = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { error: 'must be lower-case letters, digits and hyphens, at most 64' })
  .describe('Id of the process, as thinking_start returned it.');
export const scopeField = scopeShape
  .optional()
  .describe('Memory scope of the process; this server\'s own scope (usually "shared") when absent.');

export const keyPrefix = 'thinking/';
const maxBytes = 1_000_000;
const retryForMs = 20_000;
const maxPauseMs = 80;

/** Where a process lives. */
export interface Address {
  readonly processId: string;
  readonly scope?: string | undefined;
}

export function scopeOf(context: ThinkingContext, scope?: string): string {
  return scope ?? context.settings.defaultScope ?? 'shared';
}

/** Runs a memory call; the memory's own failures become words that a model can act on. */
export async function remembering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'REQUEST_CANCELLED') throw error;
    throw new ToolError(`${error.code}: ${error.message}`, { cause: error });
  }
}

function toProcess(value: unknown, processId: string): Process {
  const parsed = processShape.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new ToolError(
    `processId: the memory ${keyPrefix}${processId} is not a thinking process (at "${where}"); memory_history shows who changed it`,
  );
}

function tagsOf(process: Process): string[] {
  return ['thinking', `template:${process.template}`, `status:${process.status}`];
}

/** The memory entry under a key, or undefined if there is none. */
export async function retrieveEntry(
  context: ThinkingContext,
  input: MemoryInput<'retrieve'>,
): Promise<MemoryOutput<'retrieve'> | undefined> {
  try {
    return await context.memory('retrieve', input);
  } catch (error) {
    if (isAppError(error, 'MEMORY_NOT_FOUND')) return undefined;
    return remembering(() => Promise.reject(error));
  }
}

/** Reads a process, now or as of a commit or date. */
export async function loadProcess(
  context: ThinkingContext,
  address: Address,
  at?: string,
): Promise<{ process: Process; etag: string; updatedAt: string }> {
  const key = keyPrefix + address.processId;
  const scope = scopeOf(context, address.scope);
  const entry = await retrieveEntry(context, { key, scope, ...(at && { at }) });
  if (!entry) {
    throw new ToolError(
      `processId: there is no process "${address.processId}" in scope ${scope}${at ? ` at ${at}` : ''}; see thinking_list, or begin one with thinking_start`,
    );
  }
  return { process: toProcess(entry.value, address.processId), etag: entry.etag, updatedAt: entry.updatedAt };
}

async function store(
  context: ThinkingContext,
  process: Process,
  scope: string,
  ifMatch: string,
): Promise<boolean> {
  const json = JSON.stringify(process);
  const bytes = Buffer.byteLength(json);
  if (bytes > maxBytes) {
    throw new ToolError(
      `process ${process.id} would be ${bytes} bytes, the limit is ${maxBytes}; conclude it and go on in a new process that names this one`,
    );
  }
  try {
    const key = keyPrefix + process.id;
    await context.memory('store', { key, scope, value: JSON.parse(json), tags: tagsOf(process), ifMatch });
    return true;
  } catch (error) {
    if (isAppError(error, 'MEMORY_CHANGED')) return false;
    return remembering(() => Promise.reject(error));
  }
}

/** Stores a new process; ToolError if the id is taken. */
export async function createProcess(
  context: ThinkingContext,
  process: Process,
  scope?: string,
): Promise<void> {
  if (!(await store(context, process, scopeOf(context, scope), 'absent'))) {
    throw new ToolError(`processId: "${process.id}" is taken; choose another or leave it out`);
  }
}

/**
 * Applies `edit` to a fresh copy of the process and stores it, again and again until nobody changed it in
 * between. `edit` may run several times: it must not do anything but change the process it is given.
 */
export async function editProcess<T>(
  context: ThinkingContext,
  address: Address,
  edit: (process: Process) => T,
): Promise<{ process: Process; result: T }> {
  const scope = scopeOf(context, address.scope);
  const deadlineMs = performance.now() + retryForMs;
  for (let attempt = 1; ; attempt += 1) {
    const { process, etag } = await loadProcess(context, address);
    const result = edit(process);
    if (await store(context, process, scope, etag)) return { process, result };
    if (performance.now() > deadlineMs) {
      throw new ToolError(`process ${process.id} is being changed by too many others at once; try again`);
    }
    // Writers that collided wait for different times, or they would collide again.
    await sleep(randomInt(Math.min(maxPauseMs, 2 ** attempt) + 1), undefined, { signal: context.signal });
  }
}

/** Refuses changes to a process that was concluded. */
export function assertOpen(process: Process): void {
  if (process.status === 'open') return;
  throw new ToolError(`processId: ${process.id} is concluded; use thinking_reopen before changing it`);
}
