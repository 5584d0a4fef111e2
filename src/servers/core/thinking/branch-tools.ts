/** Tools that open and end branches of a thinking process. */

import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { assertWritable } from './append-step.ts';
import {
  activeBranch,
  branchNameShape,
  branchOf,
  branchShape,
  mainBranch,
  type Process,
  stepIdShape,
  stepOf,
  stepsOn,
} from './process.ts';
import {
  assertOpen,
  editProcess,
  processIdShape,
  scopeField,
  type ThinkingContext,
} from './process-store.ts';
import { standingFields, standingOf, writing } from './standing.ts';

const maxBranches = 50;

const thinkingBranch = defineTool({
  name: 'thinking_branch',
  title: 'Branch off',
  description:
    'Opens a branch at a step to follow another explanation or option without losing the main line. It sees all steps up to that one. Add steps to it by name, and end it with thinking_resolve_branch.',
  input: z.strictObject({
    processId: processIdShape,
    fromStep: stepIdShape.describe('Step at which it forks.'),
    name: branchNameShape,
    why: z.string().trim().min(1).max(2000).describe('What this branch explores.'),
    scope: scopeField,
  }),
  output: z.object({
    processId: processIdShape,
    branch: branchShape.describe('The new branch.'),
    ...standingFields,
  }),
  annotations: writing,
  async run({ processId, fromStep, name, why, scope }, context: ThinkingContext) {
    const { process, result: branch } = await editProcess(context, { processId, scope }, (process) => {
      assertOpen(process);
      stepOf(process, fromStep, 'fromStep');
      if (process.branches.some((branch) => branch.name === name)) {
        throw new ToolError(`name: there is already a branch "${name}" in ${processId}; choose another name`);
      }
      if (process.branches.length >= maxBranches) {
        throw new ToolError(
          `process ${processId} has ${maxBranches} branches, the limit; use one of those there are`,
        );
      }
      const branch = { name, fromStep, why, status: 'open' as const };
      process.branches.push(branch);
      return branch;
    });
    return { processId, branch, ...standingOf(process, name) };
  },
});

function dropOthers(process: Process, chosen: string, why: string): void {
  const kept = new Set([chosen, ...stepsOn(process, chosen).map((step) => step.branch)]);
  for (const branch of process.branches) {
    if (branch.status === 'chosen') branch.status = 'open';
    if (branch.status !== 'open' || kept.has(branch.name)) continue;
    Object.assign(branch, { status: 'dropped', outcome: `"${chosen}" was chosen: ${why}` });
  }
}

function mergeTarget(process: Process, name: string, into?: string): string {
  const branch = branchOf(process, name);
  const origin =
    branch.fromStep === undefined ? mainBranch : stepOf(process, branch.fromStep, 'branch').branch;
  const target = branchOf(process, into ?? origin);
  if (target.name === name) throw new ToolError(`into: "${name}" cannot be merged into itself`);
  assertWritable(process, target.name);
  return target.name;
}

const thinkingResolveBranch = defineTool({
  name: 'thinking_resolve_branch',
  title: 'Choose, merge or drop a branch',
  description:
    'Ends a branch. choose: it becomes the active line and other open branches are dropped. merge: its steps count in the branch it came from (or in "into"). drop: it stays on record but no longer counts. reopen: a dropped or merged branch goes on.',
  input: z.strictObject({
    processId: processIdShape,
    branch: branchNameShape.describe('Branch to end; "main" can be chosen too.'),
    outcome: z.enum(['choose', 'merge', 'drop', 'reopen']).describe('What becomes of it.'),
    why: z.string().trim().min(1).max(2000).describe('Reason, for those who read it later.'),
    into: branchNameShape.optional().describe('Only for merge: the branch that takes its steps.'),
    scope: scopeField,
  }),
  output: z.object({
    processId: processIdShape,
    activeBranch: branchNameShape,
    branches: z.array(branchShape).describe('All branches now.'),
    ...standingFields,
  }),
  annotations: writing,
  async run({ processId, branch: name, outcome, why, into, scope }, context: ThinkingContext) {
    const { process } = await editProcess(context, { processId, scope }, (process) => {
      assertOpen(process);
      const branch = branchOf(process, name);
      if (name === mainBranch && outcome !== 'choose') {
        throw new ToolError(
          `branch: "main" can only be chosen, not ended with "${outcome}"; choose another branch instead`,
        );
      }
      const target = outcome === 'merge' ? mergeTarget(process, name, into) : undefined;
      if (outcome === 'choose') dropOthers(process, name, why);
      const status = ({ choose: 'chosen', merge: 'merged', drop: 'dropped', reopen: 'open' } as const)[
        outcome
      ];
      Object.assign(branch, { status, outcome: why, into: target });
    });
    const active = activeBranch(process);
    return { processId, activeBranch: active, branches: process.branches, ...standingOf(process, active) };
  },
});

export const branchTools = [thinkingBranch, thinkingResolveBranch];
