/** Tools that begin and find thinking processes. */

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { defineTool } from '../../../kernel/define-server.ts';
import { mainBranch, type Process, processShape } from './process.ts';
import {
  createProcess,
  keyPrefix,
  processIdShape,
  remembering,
  retrieveEntry,
  scopeField,
  scopeOf,
  type ThinkingContext,
} from './process-store.ts';
import { progressOf, progressShape } from './progress.ts';
import { stepKinds, templateNames } from './template.ts';
import { rulesOf, templates } from './templates.ts';

const templateShape = z
  .enum(templateNames)
  .describe('problem-solving, design-thinking, software-development, research or decision-making.');

const templateView = z.object({
  name: templateShape,
  title: z.string().describe('Title of the template.'),
  useFor: z.string().describe('When to take it.'),
  phases: z
    .array(
      z.object({
        id: z.string().describe('Phase id, as thinking_add_step takes it.'),
        title: z.string().describe('Phase title.'),
        purpose: z.string().describe('What the phase is for.'),
        questions: z.array(z.string()).describe('Guiding questions.'),
        needs: z.array(z.string()).describe('What it must hold to be done.'),
      }),
    )
    .describe('Phases in order.'),
  rules: z
    .array(
      z.object({
        id: z.string().describe('Rule name.'),
        severity: z.enum(['blocking', 'advice']).describe('Whether it stands in the way of a conclusion.'),
        problem: z.string().describe('What it finds.'),
      }),
    )
    .describe('Rules that thinking_progress checks.'),
});

const thinkingTemplates = defineTool({
  name: 'thinking_templates',
  title: 'Thinking templates',
  description:
    'Shows the five templates for structured thinking with their phases, guiding questions and completeness rules. Use it before thinking_start to choose one, or with a name to see what a phase needs.',
  input: z.strictObject({ template: templateShape.optional() }),
  output: z.object({
    templates: z.array(templateView).describe('The templates.'),
    stepKinds: z.array(z.string()).describe('Kinds a step can have.'),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run: async ({ template }) => ({
    stepKinds: [...stepKinds],
    templates: (template ? [template] : templateNames).map((name) => {
      const { title, useFor, phases } = templates[name];
      return {
        name,
        title,
        useFor,
        phases: phases.map(({ id, title, purpose, questions, needs }) => ({
          id,
          title,
          purpose,
          questions: [...questions],
          needs: needs.map((need) => `${need.atLeast} × ${need.kinds.join(' or ')}: ${need.ask}`),
        })),
        rules: rulesOf(templates[name]).map(({ id, severity, problem }) => ({ id, severity, problem })),
      };
    }),
  }),
});

const thinkingStart = defineTool({
  name: 'thinking_start',
  title: 'Start thinking',
  description:
    'Begins a structured thinking process from a template and stores it in the Git memory, so that it can be continued later and by others. Returns its processId and the first question to answer. Go on with thinking_add_step.',
  input: z.strictObject({
    template: templateShape,
    title: z.string().trim().min(1).max(200).describe('Short name, e.g. "Slow logins since Monday".'),
    goal: z
      .string()
      .trim()
      .min(1)
      .max(5000)
      .describe('What this should lead to, and how one knows it is reached.'),
    processId: processIdShape
      .optional()
      .describe('Own id for the process; made up from the template when absent.'),
    scope: scopeField,
  }),
  output: z.object({
    processId: processIdShape,
    scope: z.string().describe('Memory scope it is kept in.'),
    key: z.string().describe('Memory key it is kept under.'),
    progress: progressShape.describe('Where it stands.'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  async run({ template, title, goal, processId, scope }, context: ThinkingContext) {
    const process: Process = {
      format: 'thinking-process/1',
      id: processId ?? `${template}-${randomUUID().slice(0, 8)}`,
      template,
      title,
      goal,
      status: 'open',
      startedAt: new Date().toISOString(),
      branches: [{ name: mainBranch, why: 'The main line of thought.', status: 'open' }],
      steps: [],
      decisions: [],
      reopened: [],
    };
    await createProcess(context, process, scope);
    return {
      processId: process.id,
      scope: scopeOf(context, scope),
      key: keyPrefix + process.id,
      progress: progressOf(process),
    };
  },
});

const rowShape = z.object({
  processId: processIdShape,
  title: z.string().describe('Short name.'),
  template: templateShape,
  status: z.enum(['open', 'concluded']).describe('Whether it is concluded.'),
  percent: z.number().int().describe('How far it is, 0 to 100.'),
  steps: z.number().int().describe('Steps in all branches.'),
  updatedAt: z.string().describe('ISO 8601 time of the last change.'),
});

type Row = z.output<typeof rowShape>;

async function toRow(context: ThinkingContext, scope: string, key: string): Promise<Row | undefined> {
  const entry = await retrieveEntry(context, { key, scope });
  const parsed = processShape.safeParse(entry?.value);
  if (!entry || !parsed.success) return undefined;
  const { id, title, template, status, steps } = parsed.data;
  const { percent } = progressOf(parsed.data);
  return { processId: id, title, template, status, percent, steps: steps.length, updatedAt: entry.updatedAt };
}

const thinkingList = defineTool({
  name: 'thinking_list',
  title: 'List thinking processes',
  description:
    'Lists the thinking processes in the memory with title, template, status and progress, a page at a time. Use it to find one to continue or to learn from before you start a new one on the same matter.',
  input: z.strictObject({
    status: z.enum(['open', 'concluded']).optional().describe('Only processes in this state.'),
    template: templateShape.optional(),
    scope: scopeField,
    cursor: z.string().max(4096).optional().describe('nextCursor of the previous page.'),
    limit: z.number().int().min(1).max(100).default(20).describe('Most processes to return; default 20.'),
  }),
  output: z.object({
    processes: z.array(rowShape).describe('Processes in the order of their ids.'),
    nextCursor: z.string().optional().describe('Cursor of the next page; absent on the last one.'),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  async run({ status, template, scope, cursor, limit }, context: ThinkingContext) {
    const where = scopeOf(context, scope);
    const tags = [
      'thinking',
      ...(template ? [`template:${template}`] : []),
      ...(status ? [`status:${status}`] : []),
    ];
    const page = await remembering(() =>
      context.memory('list', { scope: where, prefix: keyPrefix, tags, limit, ...(cursor && { cursor }) }),
    );
    const rows = await Promise.all(page.items.map((item) => toRow(context, where, item.key)));
    return {
      processes: rows.filter((row) => row !== undefined).filter((row) => !status || row.status === status),
      ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }),
    };
  },
});

export const startTools = [thinkingTemplates, thinkingStart, thinkingList];
