/** How far a process is, what to ask next, and which gaps its template's rules find. */

import { z } from 'zod';
import { activeBranch, branchNameShape, type Process, type Step, stepIdShape, stepsOn } from './process.ts';
import type { Need, Phase, Rule, StepKind, Template } from './template.ts';
import { rulesOf, templates } from './templates.ts';

export const gapShape = z.object({
  severity: z
    .enum(['blocking', 'advice'])
    .describe('Blocking gaps must be closed or accepted before concluding.'),
  rule: z.string().describe('Name of the rule that found it.'),
  step: stepIdShape.optional().describe('The step concerned, if it is one step.'),
  problem: z.string().describe('What is missing.'),
  fix: z.string().describe('How to close it.'),
});
export type Gap = z.output<typeof gapShape>;

export const progressShape = z.object({
  branch: branchNameShape.describe('The branch that was looked at.'),
  percent: z.number().int().describe('Share of the needs of all phases that are met, 0 to 100.'),
  phases: z
    .array(
      z.object({
        id: z.string().describe('Phase id.'),
        title: z.string().describe('Phase title.'),
        done: z.boolean().describe('True when everything it needs is there.'),
        steps: z.number().int().describe('Steps in it.'),
        missing: z.array(z.string()).describe('Questions that are not yet answered.'),
      }),
    )
    .describe('Phases in order.'),
  gaps: z.array(gapShape).describe('What the rules find wanting, blocking first.'),
  nextPhase: z.string().nullable().describe('First phase that is not done; null when all are.'),
  nextQuestion: z.string().nullable().describe('What to think about next; null when nothing is left.'),
});
export type Progress = z.output<typeof progressShape>;

/** Steps that count: those seen by the branch and not withdrawn. */
function livingSteps(process: Process, branch: string): Step[] {
  return stepsOn(process, branch).filter((step) => step.retracted !== true);
}

/** Options and criteria of a living decision's matrix count as steps of that kind. */
function countOfKind(process: Process, steps: readonly Step[], kind: StepKind): number {
  const written = steps.filter((step) => step.kind === kind).length;
  if (kind !== 'option' && kind !== 'criterion') return written;
  const inMatrices = steps.map((step) => {
    const matrix = process.decisions.find((decision) => decision.id === step.decision);
    return (kind === 'option' ? matrix?.options.length : matrix?.criteria.length) ?? 0;
  });
  return Math.max(written, ...inMatrices);
}

function isMet(process: Process, need: Need, phase: Phase, steps: readonly Step[]): boolean {
  const count = need.kinds.reduce((sum, kind) => {
    const isInMatrix = kind === 'option' || kind === 'criterion';
    const counted = steps.filter(
      (step) => step.phase === phase.id || (isInMatrix && step.decision !== undefined),
    );
    return sum + countOfKind(process, counted, kind);
  }, 0);
  return count >= need.atLeast;
}

function gapsOfRule(process: Process, rule: Rule, steps: readonly Step[]): Gap[] {
  const { severity, id, problem, fix } = rule;
  const gap = (step?: Step): Gap => ({ severity, rule: id, ...(step && { step: step.id }), problem, fix });
  if (rule.rule === 'companion') {
    const isThere = steps.some((step) => step.kind === rule.when);
    return isThere && countOfKind(process, steps, rule.needs) < rule.atLeast ? [gap()] : [];
  }
  const concerned = steps.filter((step) => step.kind === rule.of);
  if (rule.rule === 'evidence') return concerned.filter((step) => step.evidence.length === 0).map(gap);
  const takenUp = new Set(
    steps
      .filter((step) => rule.by.includes(step.kind))
      .flatMap((step) => [...step.refs, ...step.contradicts]),
  );
  return concerned.filter((step) => !takenUp.has(step.id)).map(gap);
}

/** A contradiction is settled when a later step refers to both sides, or one side is revised after it or withdrawn. */
function contradictions(steps: readonly Step[]): Gap[] {
  return steps.flatMap((step) =>
    step.contradicts.flatMap((id) => {
      const target = steps.find((candidate) => candidate.id === id);
      if (!target) return [];
      const isRevised = [step, target].some((side) =>
        side.revisions.some((revision) => revision.at >= step.at),
      );
      const isJudged = steps.some((other) => other.refs.includes(step.id) && other.refs.includes(id));
      if (isRevised || isJudged) return [];
      return [
        {
          severity: 'blocking' as const,
          rule: 'contradiction-open',
          step: step.id,
          problem: `${step.id} contradicts ${id} and nothing settles it`,
          fix: `revise or retract one of them, or add a step whose refs name both ${id} and ${step.id}`,
        },
      ];
    }),
  );
}

function overconfidence(steps: readonly Step[]): Gap[] {
  const claims = new Set<StepKind>(['fact', 'cause', 'result', 'finding', 'decision']);
  return steps
    .filter((step) => claims.has(step.kind) && (step.confidence ?? 0) >= 0.9)
    .filter((step) => step.evidence.length === 0 && step.refs.length === 0 && step.decision === undefined)
    .map((step) => ({
      severity: 'advice' as const,
      rule: 'confident-without-support',
      step: step.id,
      problem: `${step.id} is held with confidence ${step.confidence} but names neither evidence nor refs`,
      fix: 'give its evidence or refs with thinking_revise_step, or lower the confidence',
    }));
}

/** Branches nobody decided about; those the active one grew out of are part of it. */
function openBranches(process: Process): Gap[] {
  const active = new Set(stepsOn(process, activeBranch(process)).map((step) => step.branch));
  return process.branches
    .filter((branch) => branch.fromStep !== undefined && branch.status === 'open' && !active.has(branch.name))
    .map((branch) => ({
      severity: 'blocking' as const,
      rule: 'branch-open',
      problem: `the branch "${branch.name}" is still open`,
      fix: 'choose, merge or drop it with thinking_resolve_branch',
    }));
}

function skippedPhases(template: Template, steps: readonly Step[], done: readonly boolean[]): Gap[] {
  const lastUsed = template.phases.findLastIndex((phase) => steps.some((step) => step.phase === phase.id));
  return template.phases
    .filter((phase, index) => index < lastUsed && done[index] !== true)
    .map((phase) => ({
      severity: 'advice' as const,
      rule: 'phase-skipped',
      problem: `later phases have steps while "${phase.id}" is not done`,
      fix: `go back to "${phase.id}": ${phase.purpose}`,
    }));
}

/** Progress of one branch (the active one by default). */
export function progressOf(process: Process, branch = activeBranch(process)): Progress {
  const template = templates[process.template];
  const steps = livingSteps(process, branch);
  const unmet = template.phases.map((phase) =>
    phase.needs.filter((need) => !isMet(process, need, phase, steps)),
  );
  const done = unmet.map((needs) => needs.length === 0);
  const total = template.phases.reduce((sum, phase) => sum + phase.needs.length, 0);
  const left = unmet.reduce((sum, needs) => sum + needs.length, 0);
  const gaps = [
    ...rulesOf(template).flatMap((rule) => gapsOfRule(process, rule, steps)),
    ...contradictions(steps),
    ...openBranches(process),
    ...overconfidence(steps),
    ...skippedPhases(template, steps, done),
  ].sort((a, b) => Number(b.severity === 'blocking') - Number(a.severity === 'blocking'));
  const next = done.indexOf(false);
  return {
    branch,
    percent: Math.floor(((total - left) / total) * 100),
    phases: template.phases.map((phase, index) => ({
      id: phase.id,
      title: phase.title,
      done: done[index] === true,
      steps: steps.filter((step) => step.phase === phase.id).length,
      missing: (unmet[index] ?? []).map((need) => need.ask),
    })),
    gaps,
    nextPhase: template.phases[next]?.id ?? null,
    nextQuestion: unmet[next]?.[0]?.ask ?? gaps[0]?.fix ?? null,
  };
}

/** The phase a new step of this kind most likely belongs to: the first unfinished one that asks for it. */
export function phaseFor(process: Process, branch: string, kind: StepKind): string {
  const { phases } = templates[process.template];
  const { nextPhase } = progressOf(process, branch);
  const asking = phases.filter((phase) => phase.needs.some((need) => need.kinds.includes(kind)));
  const from = phases.findIndex((phase) => phase.id === nextPhase);
  const later = asking.find((phase) => phases.indexOf(phase) >= from);
  return (later ?? asking.at(-1))?.id ?? nextPhase ?? phases.at(-1)?.id ?? '';
}
