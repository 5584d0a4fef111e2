/** Runs one tool: validates what comes in and what goes out, and turns failures into something a model can act on. */

import type { z } from 'zod';
import {
  isWithContent,
  type ToolContext,
  type ToolDefinition,
  ToolError,
} from '../../kernel/define-server.ts';
import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';

/** A failure that the caller may not see in detail; it goes to the log under the id the caller gets. */
export type ReportUnexpected = (id: string, error: unknown) => void;

type Runner = (args: unknown, context: ToolContext) => Promise<unknown>;

function failed(text: string): JsonObject {
  return { resultType: 'complete', isError: true, content: [{ type: 'text', text }] };
}

function describeIssues(error: z.ZodError): string {
  const lines = error.issues.map((issue) => {
    const field = issue.path.map(String).join('.');
    return field === '' ? `- ${issue.message}` : `- ${field}: ${issue.message}`;
  });
  return ['The arguments do not fit the tool:', ...lines].join('\n');
}

/** Runs the tool up to its first wait; for who wants to know what is running. */
export type Around = (run: () => Promise<unknown>) => Promise<unknown>;

/** Calls a tool; the result has `isError` for whatever the tool or its arguments did wrong. Never rejects. */
export async function callTool(
  tool: ToolDefinition,
  args: unknown,
  context: ToolContext,
  report: ReportUnexpected,
  around: Around = (run) => run(),
): Promise<JsonObject> {
  const parsed = await tool.input.safeParseAsync(args ?? {});
  if (!parsed.success) return failed(describeIssues(parsed.error));
  try {
    const answer = await around(() => (tool.run as unknown as Runner)(parsed.data, context));
    const isOwnContent = isWithContent(answer);
    const structured = await tool.output.parseAsync(isOwnContent ? answer.structured : answer);
    if (!isJsonObject(structured)) throw new TypeError('a tool must answer with an object');
    const content = isOwnContent ? [...answer.content] : [{ type: 'text', text: JSON.stringify(structured) }];
    return { resultType: 'complete', content, structuredContent: structured };
  } catch (error) {
    if (error instanceof ToolError) return failed(error.message);
    if (error instanceof AppError) {
      if (error.code === 'INTERNAL') report(error.id, error.cause ?? error);
      return failed(error.message);
    }
    const { id } = new AppError('INTERNAL');
    report(id, error);
    return failed(`internal error, id ${id}`);
  }
}
