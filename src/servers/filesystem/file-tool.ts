/** How tools of this server are declared: read-only mode and errors of the file system in one place. */

import { z } from 'zod';
import {
  defineTool,
  type ToolAnnotations,
  type ToolDefinition,
  ToolError,
  type WithContent,
} from '../../kernel/define-server.ts';
import type { FileContext } from './file-settings.ts';
import { describeCode } from './path-guard.ts';

/** Annotations of a tool that only looks. */
export const looks = { readOnlyHint: true, openWorldHint: false } as const;

/** Annotations of a tool that changes files; `destructive` when something may be lost. */
export function changes(hints: { destructive: boolean; idempotent: boolean }): ToolAnnotations {
  const { destructive, idempotent } = hints;
  return {
    readOnlyHint: false,
    destructiveHint: destructive,
    idempotentHint: idempotent,
    openWorldHint: false,
  };
}

/** A path argument. */
export const pathShape = z
  .string()
  .min(1)
  .max(4096)
  .describe('Path relative to the first allowed folder, or absolute inside any of them (see list_roots).');

/** A path in an answer. */
export const shownShape = z.string().describe('Path as the other tools take it.');

/** Declares a tool of this server. A tool that is not `looks` is refused when the setting readOnly is on. */
export function defineFileTool<I extends z.ZodObject, O extends z.ZodObject>(tool: {
  name: string;
  title: string;
  description: string;
  input: I;
  output: O;
  annotations: ToolAnnotations;
  run: (args: z.output<I>, context: FileContext) => Promise<z.input<O> | WithContent<z.input<O>>>;
}): ToolDefinition {
  return defineTool({
    ...tool,
    run: async (args: z.output<I>, context: FileContext) => {
      if (tool.annotations.readOnlyHint !== true && context.settings.readOnly) {
        throw new ToolError(`${tool.name} is switched off: this server is read-only (setting readOnly)`);
      }
      try {
        return await tool.run(args, context);
      } catch (error) {
        const words = describeCode(error);
        throw words === undefined ? error : new ToolError(`path: ${words}`, { cause: error });
      }
    },
  });
}
