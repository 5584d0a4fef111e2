/** A thinking process as it lies in the memory, and which of its steps a branch sees. */

import { z } from 'zod';
import { ToolError } from '../../../kernel/define-server.ts';
import { matrixShape } from './decision-matrix.ts';
import { stepKinds, templateNames } from './template.ts';

export const mainBranch = 'main';

export const thoughtShape = z
  .string()
  .trim()
  .min(1)
  .max(10_000)
  .describe('The thought itself, one idea, in full sentences.');
export const evidenceShape = z
  .array(z.string().trim().min(1).max(2000))
  .max(20)
  .describe('What supports it: a source, link, log line, measurement or quotation each.');
export const confidenceShape = z
  .number()
  .min(0)
  .max(1)
  .describe('How sure you are: 0 (a guess) to 1 (certain).');
export const stepIdShape = z
  .string()
  .regex(/^s[1-9]\d{0,5}$/, { error: 'must be a step id such as s3' })
  .describe('Id of a step, e.g. s3.');
export const branchNameShape = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, { error: 'must be lower-case letters, digits and hyphens, at most 40' })
  .describe('Name of a branch, e.g. "cheap-option"; the first one is main.');
const timeShape = z.string().describe('ISO 8601 time.');

export const stepShape = z.object({
  id: stepIdShape,
  branch: branchNameShape,
  phase: z.string().describe('Phase it belongs to.'),
  kind: z.enum(stepKinds).describe('What sort of thought it is.'),
  thought: thoughtShape,
  evidence: evidenceShape,
  confidence: confidenceShape.optional(),
  refs: z.array(stepIdShape).describe('Steps it builds on, answers or tests.'),
  contradicts: z.array(stepIdShape).describe('Steps it speaks against.'),
  at: timeShape,
  retracted: z.boolean().optional().describe('True when it was withdrawn; it no longer counts.'),
  decision: z.string().optional().describe('Id of the decision matrix behind it.'),
  revisions: z
    .array(
      z.object({
        at: timeShape,
        reason: z.string().describe('Why it was changed.'),
        thought: z.string().describe('The thought before the change.'),
        evidence: z.array(z.string()).describe('The evidence before the change.'),
        confidence: confidenceShape.optional(),
      }),
    )
    .describe('Former versions, oldest first.'),
});
export type Step = z.output<typeof stepShape>;

export const branchShape = z.object({
  name: branchNameShape,
  fromStep: stepIdShape.optional(),
  why: z.string().describe('What this branch explores.'),
  status: z.enum(['open', 'chosen', 'merged', 'dropped']).describe('What became of it.'),
  into: branchNameShape.optional().describe('The branch it was merged into.'),
  outcome: z.string().optional().describe('Why it was chosen, merged or dropped.'),
});
export type Branch = z.output<typeof branchShape>;

export const conclusionShape = z.object({
  answer: z.string().describe('The conclusion.'),
  confidence: confidenceShape,
  nextActions: z.array(z.string()).describe('What to do now.'),
  openQuestions: z.array(z.string()).describe('What is still unknown.'),
  acceptedGaps: z.array(z.string()).describe('Gaps that were known and accepted.'),
  branch: branchNameShape,
  at: timeShape,
});

export const processShape = z.object({
  format: z.literal('thinking-process/1').describe('Format of this record.'),
  id: z.string().describe('Id of the process.'),
  template: z.enum(templateNames).describe('Template it follows.'),
  title: z.string().describe('Short name.'),
  goal: z.string().describe('What it should lead to.'),
  status: z.enum(['open', 'concluded']).describe('Whether it is concluded.'),
  startedAt: timeShape,
  branches: z.array(branchShape).describe('All branches, main first.'),
  steps: z.array(stepShape).describe('All steps of all branches, in the order they were added.'),
  decisions: z
    .array(matrixShape.extend({ id: z.string().describe('Id of the decision, e.g. d1.') }))
    .describe('Decision matrices.'),
  conclusion: conclusionShape.optional().describe('The conclusion, once there is one.'),
  reopened: z
    .array(
      z.object({
        at: timeShape,
        why: z.string().describe('Why it was reopened.'),
        conclusion: conclusionShape.describe('The conclusion that was set aside.'),
      }),
    )
    .describe('Former conclusions.'),
});
export type Process = z.output<typeof processShape>;

/** The branch that stands for the whole: the chosen one, else main. */
export function activeBranch(process: Process): string {
  return process.branches.find((branch) => branch.status === 'chosen')?.name ?? mainBranch;
}

/** A branch by name, or a ToolError that lists those there are. */
export function branchOf(process: Process, name: string): Branch {
  const branch = process.branches.find((candidate) => candidate.name === name);
  if (branch) return branch;
  const known = process.branches.map((candidate) => candidate.name).join(', ');
  throw new ToolError(`branch: there is no branch "${name}" in ${process.id}; there are: ${known}`);
}

/** A step by id, or a ToolError that says which ids there are. */
export function stepOf(process: Process, id: string, field: string): Step {
  const step = process.steps.find((candidate) => candidate.id === id);
  if (step) return step;
  const range =
    process.steps.length === 0 ? 'it has no steps yet' : `its steps are s1 to s${process.steps.length}`;
  throw new ToolError(`${field}: there is no step "${id}" in ${process.id}; ${range}`);
}

const numberOf = (stepId: string): number => Number(stepId.slice(1));

/**
 * The steps a branch sees, in order: its own, those of its parent up to where it forked (and so on to
 * main), and those of branches merged into any of them.
 */
export function stepsOn(process: Process, branchName: string): Step[] {
  const limits = new Map<string, number>();
  const visit = (name: string, upTo: number): void => {
    if ((limits.get(name) ?? -1) >= upTo) return;
    limits.set(name, upTo);
    const branch = process.branches.find((candidate) => candidate.name === name);
    if (branch?.fromStep !== undefined) {
      const origin = process.steps.find((step) => step.id === branch.fromStep);
      if (origin) visit(origin.branch, Math.min(upTo, numberOf(origin.id)));
    }
    for (const merged of process.branches) {
      if (merged.status === 'merged' && merged.into === name) visit(merged.name, upTo);
    }
  };
  visit(branchName, Number.POSITIVE_INFINITY);
  return process.steps.filter((step) => numberOf(step.id) <= (limits.get(step.branch) ?? -1));
}
