/** Where a process stands after a change, in few words. */

import { z } from 'zod';
import type { Process } from './process.ts';
import { gapShape, progressOf } from './progress.ts';

/** Annotations of every tool that changes a process: it adds, and former versions stay. */
export const writing = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: false,
  openWorldHint: false,
};

/** What every change answers: where the process stands now, without the whole of it. */
export const standingFields = {
  percent: z.number().int().describe('How far the process is, 0 to 100.'),
  blockingGaps: z.array(gapShape).describe('Gaps in the way of a conclusion; thinking_progress shows all.'),
  nextPhase: z.string().nullable().describe('First phase that is not done.'),
  nextQuestion: z.string().nullable().describe('What to think about next.'),
};

/** The standing of one branch. */
export function standingOf(process: Process, branch: string) {
  const { percent, gaps, nextPhase, nextQuestion } = progressOf(process, branch);
  return {
    percent,
    blockingGaps: gaps.filter((gap) => gap.severity === 'blocking'),
    nextPhase,
    nextQuestion,
  };
}
