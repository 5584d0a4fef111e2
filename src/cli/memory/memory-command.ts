/** What the memory verbs share: the scope option and the way a value is printed. */

import type { Command } from 'commander';
import { scopeShape } from '../../kernel/memory/operations.ts';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { plainText } from '../output.ts';
import { type RestOptions, restCommand } from '../rest-command.ts';

/** Options of every verb on one scope. */
export interface MemoryOptions extends RestOptions {
  readonly scope?: string;
}

/** A scope of the command line. Throws INVALID_INPUT for what is none. */
export function parseScope(text: string): string {
  const result = scopeShape.safeParse(text);
  if (result.success) return result.data;
  throw new AppError('INVALID_INPUT', { field: '--scope', problem: result.error.issues[0]?.message });
}

/** A REST verb with --scope. */
export function memoryCommand(name: string, description: string, example: string): Command {
  return restCommand(name, description, example).option(
    '--scope <scope>',
    'shared (default), coordinator, category:<category> or server:<id>',
    parseScope,
  );
}

/** Options of verbs that work in a workspace, too. */
export interface InWorkspaceOptions extends MemoryOptions {
  readonly workspace?: string;
}

/** A verb with --scope and --workspace. */
export function inWorkspaceCommand(name: string, description: string, example: string): Command {
  const option = ['--workspace <name>', 'in this workspace instead of the shared state'] as const;
  return memoryCommand(name, description, example).option(...option);
}

/** Scope and key as a memory path takes them. */
export function placeOf(key: string, { scope }: MemoryOptions): { path: { scope: string; key: string } } {
  return { path: { scope: scope ?? 'shared', key } };
}

/** Prints a stored value as it is: text as text, anything else as JSON. A terminal gets no control characters. */
export function printValue(context: CliContext, value: unknown): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  context.stdout.write(context.stdout.isTTY ? plainText(text) : text);
  if (context.stdout.isTTY || typeof value !== 'string') context.stdout.write('\n');
}
