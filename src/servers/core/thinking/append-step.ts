/** Adding a step: what it must name and where it may go. */

import { ToolError } from '../../../kernel/define-server.ts';
import { branchOf, type Process, type Step, stepOf, stepsOn } from './process.ts';
import { assertOpen } from './process-store.ts';
import { templates } from './templates.ts';

const maxSteps = 2000;

function assertPhase(process: Process, phase: string): void {
  const known = templates[process.template].phases.map((candidate) => candidate.id);
  if (!known.includes(phase)) {
    throw new ToolError(
      `phase: "${phase}" is no phase of ${process.template}; its phases are ${known.join(', ')}`,
    );
  }
}

/** Refuses ids of steps that the branch does not see. */
export function assertVisible(process: Process, branch: string, ids: readonly string[], field: string): void {
  const visible = new Set(stepsOn(process, branch).map((step) => step.id));
  for (const id of ids) {
    stepOf(process, id, field);
    if (!visible.has(id)) {
      throw new ToolError(
        `${field}: ${id} is not on branch "${branch}"; add the step on a branch that sees it, or merge first`,
      );
    }
  }
}

/** Refuses branches that were merged or dropped. */
export function assertWritable(process: Process, name: string): void {
  const { status, into } = branchOf(process, name);
  if (status === 'merged')
    throw new ToolError(`branch: "${name}" was merged into "${into}"; add the step there`);
  if (status === 'dropped')
    throw new ToolError(
      `branch: "${name}" was dropped; reopen it with thinking_resolve_branch (outcome "reopen")`,
    );
}

/** Appends a step to the process; its id follows from its place. */
export function appendStep(process: Process, step: Omit<Step, 'id' | 'at' | 'revisions'>): Step {
  assertOpen(process);
  assertPhase(process, step.phase);
  assertWritable(process, step.branch);
  assertVisible(process, step.branch, step.refs, 'refs');
  assertVisible(process, step.branch, step.contradicts, 'contradicts');
  if (process.steps.length >= maxSteps) {
    throw new ToolError(
      `process ${process.id} has ${maxSteps} steps, the limit; conclude it and go on in a new one`,
    );
  }
  const added = { ...step, id: `s${process.steps.length + 1}`, at: new Date().toISOString(), revisions: [] };
  process.steps.push(added);
  return added;
}
