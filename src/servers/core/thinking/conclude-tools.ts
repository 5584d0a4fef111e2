/** Tools that look at the whole: progress, decision matrix, conclusion. */

import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { appendStep } from './append-step.ts';
import { criterionInputShape, decide, matrixShape, optionInputShape } from './decision-matrix.ts';
import {
  activeBranch,
  branchNameShape,
  branchOf,
  conclusionShape,
  confidenceShape,
  stepIdShape,
} from './process.ts';
import {
  assertOpen,
  editProcess,
  loadProcess,
  processIdShape,
  scopeField,
  type ThinkingContext,
} from './process-store.ts';
import { progressOf, progressShape } from './progress.ts';
import { standingFields, standingOf, writing } from './standing.ts';
import { templates } from './templates.ts';

const linesShape = z.array(z.string().trim().min(1).max(2000)).max(50);
const maxDecisions = 100;

const thinkingProgress = defineTool({
  name: 'thinking_progress',
  title: 'Thinking progress',
  description:
    'Says how far a thinking process is: phases done and left, gaps that the rules find (a decision without criteria, a hypothesis without a test, an open contradiction or branch), and the next question to answer. Use it when you are unsure what to do next and before you conclude.',
  input: z.strictObject({
    processId: processIdShape,
    branch: branchNameShape.optional().describe('Branch to look at; the active one when absent.'),
    scope: scopeField,
  }),
  output: z.object({ processId: processIdShape, progress: progressShape.describe('Where it stands.') }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  async run({ processId, branch, scope }, context: ThinkingContext) {
    const { process } = await loadProcess(context, { processId, scope });
    return {
      processId,
      progress: progressOf(process, branchOf(process, branch ?? activeBranch(process)).name),
    };
  },
});

const thinkingDecide = defineTool({
  name: 'thinking_decide',
  title: 'Decide with a matrix',
  description:
    'Compares options by weighted criteria and computes totals, ranking, dominated options and sensitivity: how far each weight would have to move before another option wins. Records the matrix as a decision step. Use it for a choice between two or more options; scores are 0 (worst) to 10 (best).',
  input: z.strictObject({
    processId: processIdShape,
    title: z.string().trim().min(1).max(300).describe('What is being decided.'),
    criteria: z.array(criterionInputShape).min(1).max(30).describe('What counts, and how much.'),
    options: z
      .array(optionInputShape)
      .min(2)
      .max(30)
      .describe('The alternatives with a score for every criterion.'),
    phase: z
      .string()
      .max(40)
      .optional()
      .describe("Phase id; the template's phase for decisions when absent."),
    refs: z.array(stepIdShape).max(50).optional().describe('Steps that the scores rest on.'),
    branch: branchNameShape.optional().describe('Branch to file it on; the active one when absent.'),
    scope: scopeField,
  }),
  output: z.object({
    processId: processIdShape,
    stepId: stepIdShape,
    decisionId: z.string().describe('Id of the matrix in the process.'),
    matrix: matrixShape.omit({ criteria: true, options: true }).describe('The result.'),
    ...standingFields,
  }),
  annotations: writing,
  async run({ processId, title, criteria, options, phase, refs, branch, scope }, context: ThinkingContext) {
    const { criteria: _, options: __, ...result } = decide(title, criteria, options);
    const thought = result.winner
      ? `${title}: ${result.winner}${result.margin === null ? '' : ` (leads by ${result.margin} points of 10)`}`
      : `${title}: no single option wins`;
    const { process, result: step } = await editProcess(context, { processId, scope }, (process) => {
      if (process.decisions.length >= maxDecisions) {
        throw new ToolError(
          `process ${processId} has ${maxDecisions} decisions, the limit; go on in a new process`,
        );
      }
      const decision = `d${process.decisions.length + 1}`;
      const step = appendStep(process, {
        branch: branchOf(process, branch ?? activeBranch(process)).name,
        phase: phase ?? templates[process.template].decisionPhase,
        kind: 'decision',
        thought,
        evidence: [],
        refs: refs ?? [],
        contradicts: [],
        decision,
      });
      process.decisions.push({ id: decision, ...result, criteria, options });
      return step;
    });
    const decisionId = step.decision ?? '';
    return { processId, stepId: step.id, decisionId, matrix: result, ...standingOf(process, step.branch) };
  },
});

const thinkingConclude = defineTool({
  name: 'thinking_conclude',
  title: 'Conclude',
  description:
    'Ends a thinking process with its answer, confidence, next actions and open questions. Refused while blocking gaps are left, naming each; pass acceptGaps to conclude all the same, and they are recorded with the conclusion.',
  input: z.strictObject({
    processId: processIdShape,
    answer: z.string().trim().min(1).max(10_000).describe('The conclusion, in full sentences.'),
    confidence: confidenceShape,
    nextActions: linesShape.optional().describe('What to do now, one action each.'),
    openQuestions: linesShape.optional().describe('What is still unknown.'),
    acceptGaps: z.boolean().optional().describe('True concludes although blocking gaps are left.'),
    scope: scopeField,
  }),
  output: z.object({
    processId: processIdShape,
    conclusion: conclusionShape.describe('The conclusion as stored.'),
    percent: z.number().int().describe('How far the phases were done, 0 to 100.'),
  }),
  annotations: writing,
  async run(
    { processId, answer, confidence, nextActions, openQuestions, acceptGaps, scope },
    context: ThinkingContext,
  ) {
    const { result } = await editProcess(context, { processId, scope }, (process) => {
      assertOpen(process);
      const { gaps, percent, branch } = progressOf(process);
      const blocking = gaps
        .filter((gap) => gap.severity === 'blocking')
        .map((gap) => `${gap.step ? `${gap.step}: ` : ''}${gap.problem} (${gap.fix})`);
      if (blocking.length > 0 && acceptGaps !== true) {
        throw new ToolError(
          `${processId} has ${blocking.length} blocking gap(s):\n- ${blocking.join('\n- ')}\nClose them, or pass acceptGaps: true to record them with the conclusion.`,
        );
      }
      process.status = 'concluded';
      process.conclusion = {
        answer,
        confidence,
        nextActions: nextActions ?? [],
        openQuestions: openQuestions ?? [],
        acceptedGaps: blocking,
        branch,
        at: new Date().toISOString(),
      };
      return { conclusion: process.conclusion, percent };
    });
    return { processId, ...result };
  },
});

const thinkingReopen = defineTool({
  name: 'thinking_reopen',
  title: 'Reopen',
  description:
    'Takes up a concluded thinking process again, when new facts speak against its conclusion. The former conclusion is kept in the record. Returns where it stands and the next question.',
  input: z.strictObject({
    processId: processIdShape,
    why: z.string().trim().min(1).max(2000).describe('What is new.'),
    scope: scopeField,
  }),
  output: z.object({ processId: processIdShape, ...standingFields }),
  annotations: writing,
  async run({ processId, why, scope }, context: ThinkingContext) {
    const { process } = await editProcess(context, { processId, scope }, (process) => {
      if (process.conclusion === undefined)
        throw new ToolError(`processId: ${processId} is not concluded; just go on`);
      process.reopened.push({ at: new Date().toISOString(), why, conclusion: process.conclusion });
      process.status = 'open';
      delete process.conclusion;
    });
    return { processId, ...standingOf(process, activeBranch(process)) };
  },
});

export const concludeTools = [thinkingProgress, thinkingDecide, thinkingConclude, thinkingReopen];
