/** Tools that add and revise the steps of a thinking process. */

import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { appendStep, assertVisible } from './append-step.ts';
import {
  activeBranch,
  branchNameShape,
  branchOf,
  confidenceShape,
  evidenceShape,
  stepIdShape,
  stepOf,
  stepShape,
  thoughtShape,
} from './process.ts';
import {
  assertOpen,
  editProcess,
  processIdShape,
  scopeField,
  type ThinkingContext,
} from './process-store.ts';
import { phaseFor } from './progress.ts';
import { standingFields, standingOf, writing } from './standing.ts';
import { stepKinds } from './template.ts';

const refsShape = z.array(stepIdShape).max(50);

const thinkingAddStep = defineTool({
  name: 'thinking_add_step',
  title: 'Add a thought',
  description:
    'Adds one step to a thinking process: an observation, hypothesis, test, option, risk and so on. Link it with refs to the steps it answers, tests or builds on: the rules look at those links. Returns the step id, blocking gaps and the next question.',
  input: z.strictObject({
    processId: processIdShape,
    kind: z.enum(stepKinds).describe('What sort of thought it is.'),
    thought: thoughtShape,
    phase: z
      .string()
      .max(40)
      .optional()
      .describe('Phase id; when absent, the first unfinished one that asks for this kind.'),
    evidence: evidenceShape.optional(),
    confidence: confidenceShape.optional(),
    refs: refsShape.optional().describe('Ids of steps it builds on, answers or tests.'),
    contradicts: refsShape.optional().describe('Ids of steps it speaks against.'),
    branch: branchNameShape.optional().describe('Branch to add it to; the active one when absent.'),
    scope: scopeField,
  }),
  output: z.object({
    processId: processIdShape,
    stepId: stepIdShape,
    phase: z.string().describe('Phase it was filed under.'),
    branch: branchNameShape,
    ...standingFields,
  }),
  annotations: writing,
  async run({ processId, scope, branch, phase, ...thought }, context: ThinkingContext) {
    const { process, result: step } = await editProcess(context, { processId, scope }, (process) => {
      const target = branchOf(process, branch ?? activeBranch(process)).name;
      return appendStep(process, {
        ...thought,
        branch: target,
        phase: phase ?? phaseFor(process, target, thought.kind),
        evidence: thought.evidence ?? [],
        refs: thought.refs ?? [],
        contradicts: thought.contradicts ?? [],
      });
    });
    return {
      processId,
      stepId: step.id,
      phase: step.phase,
      branch: step.branch,
      ...standingOf(process, step.branch),
    };
  },
});

const thinkingReviseStep = defineTool({
  name: 'thinking_revise_step',
  title: 'Revise a thought',
  description:
    'Changes a step when you learn better: its text, evidence, confidence or links, or withdraws it with retract. The former version is kept in the step. Returns the step as it is now and what is still missing.',
  input: z.strictObject({
    processId: processIdShape,
    stepId: stepIdShape,
    reason: z.string().trim().min(1).max(2000).describe('Why it changes.'),
    thought: thoughtShape.optional(),
    evidence: evidenceShape.optional().describe('Replaces the evidence.'),
    confidence: confidenceShape.optional(),
    refs: refsShape.optional().describe('Replaces the refs.'),
    contradicts: refsShape.optional().describe('Replaces what it speaks against.'),
    retract: z.boolean().optional().describe('True withdraws the step, false brings it back.'),
    scope: scopeField,
  }),
  output: z.object({
    processId: processIdShape,
    step: stepShape.describe('The step now.'),
    ...standingFields,
  }),
  annotations: writing,
  async run({ processId, stepId, scope, reason, retract, ...change }, context: ThinkingContext) {
    if (retract === undefined && Object.values(change).every((value) => value === undefined)) {
      throw new ToolError(
        'nothing to revise: give thought, evidence, confidence, refs, contradicts or retract',
      );
    }
    const { process, result: step } = await editProcess(context, { processId, scope }, (process) => {
      assertOpen(process);
      const step = stepOf(process, stepId, 'stepId');
      for (const field of ['refs', 'contradicts'] as const) {
        const ids = change[field] ?? [];
        assertVisible(process, step.branch, ids, field);
        if (ids.includes(stepId)) throw new ToolError(`${field}: a step cannot refer to itself (${stepId})`);
      }
      const { thought, evidence, confidence } = step;
      step.revisions.push({ at: new Date().toISOString(), reason, thought, evidence, confidence });
      Object.assign(
        step,
        Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)),
      );
      if (retract !== undefined) step.retracted = retract;
      return step;
    });
    return { processId, step, ...standingOf(process, step.branch) };
  },
});

export const stepTools = [thinkingAddStep, thinkingReviseStep];
