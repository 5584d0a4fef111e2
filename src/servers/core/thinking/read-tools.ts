/** Tools that read a thinking process: its record, and exports for people and diagrams. */

import { z } from 'zod';
import { defineTool } from '../../../kernel/define-server.ts';
import { toMarkdown, toMermaid } from './export-process.ts';
import { activeBranch, branchNameShape, branchOf, type Process, processShape, stepsOn } from './process.ts';
import { loadProcess, processIdShape, scopeField, type ThinkingContext } from './process-store.ts';

const reading = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };
const atShape = z
  .string()
  .min(4)
  .max(100)
  .optional()
  .describe('A commit id or an ISO 8601 date: the process as it was then.');

const thinkingGet = defineTool({
  name: 'thinking_get',
  title: 'Read a thinking process',
  description:
    'Reads a thinking process: goal, branches, decisions, conclusion and the steps of one branch, a page at a time. Use it to take up work where you or someone else left it, or with "at" to see how it stood then.',
  input: z.strictObject({
    processId: processIdShape,
    branch: branchNameShape.optional().describe('Branch whose steps to read; the active one when absent.'),
    offset: z.number().int().min(0).default(0).describe('Steps to skip; default 0.'),
    limit: z.number().int().min(1).max(500).default(100).describe('Most steps to return; default 100.'),
    at: atShape,
    scope: scopeField,
  }),
  output: z.object({
    process: processShape.describe('The record, with the steps of this page.'),
    branch: branchNameShape,
    stepCount: z.number().int().describe('Steps on this branch in all.'),
    updatedAt: z.string().describe('ISO 8601 time of the last change.'),
    nextOffset: z.number().int().optional().describe('Offset of the next page; absent on the last one.'),
  }),
  annotations: reading,
  async run({ processId, scope, branch, offset, limit, at }, context: ThinkingContext) {
    const { process, updatedAt } = await loadProcess(context, { processId, scope }, at);
    const name = branchOf(process, branch ?? activeBranch(process)).name;
    const all = stepsOn(process, name);
    const end = offset + limit;
    return {
      process: { ...process, steps: all.slice(offset, end) },
      branch: name,
      stepCount: all.length,
      updatedAt,
      ...(end < all.length && { nextOffset: end }),
    };
  },
});

const mediaTypes = {
  markdown: 'text/markdown',
  json: 'application/json',
  mermaid: 'text/vnd.mermaid',
} as const;

function render(process: Process, format: keyof typeof mediaTypes, branch: string | undefined): string {
  if (format === 'json') return `${JSON.stringify(process, undefined, 2)}\n`;
  return format === 'mermaid' ? toMermaid(process) : toMarkdown(process, branch);
}

const thinkingExport = defineTool({
  name: 'thinking_export',
  title: 'Export a thinking process',
  description:
    'Writes a thinking process out as text: markdown (a report for people, one branch), mermaid (a flowchart of all steps, branches and links) or json (the whole record). Use it to hand results on.',
  input: z.strictObject({
    processId: processIdShape,
    format: z
      .enum(['markdown', 'json', 'mermaid'])
      .default('markdown')
      .describe('Form of the text; default markdown.'),
    branch: branchNameShape.optional().describe('Only for markdown: the branch; the active one when absent.'),
    at: atShape,
    scope: scopeField,
  }),
  output: z.object({
    processId: processIdShape,
    format: z.enum(['markdown', 'json', 'mermaid']).describe('Form of the text.'),
    mediaType: z.string().describe('Media type of the text.'),
    text: z.string().describe('The export.'),
  }),
  annotations: reading,
  async run({ processId, format, branch, at, scope }, context: ThinkingContext) {
    const { process } = await loadProcess(context, { processId, scope }, at);
    if (branch !== undefined) branchOf(process, branch);
    return { processId, format, mediaType: mediaTypes[format], text: render(process, format, branch) };
  },
});

export const readTools = [thinkingGet, thinkingExport];
