/** Routes of the deployment in phases. */

import { z } from 'zod';
import { defineRoute } from '../define-route.ts';

const phaseNumber = z.coerce.number().int().min(1).max(20);
const dryRun = z.boolean().optional().describe('Say what would be done, and do nothing.');

/** What was done for one phase. */
export const phaseReportShape = z.object({
  phase: z.number().int(),
  title: z.string(),
  outcome: z
    .enum(['deployed', 'unchanged', 'rolled-back', 'removed', 'planned'])
    .describe('`unchanged`: there was nothing to do. `planned`: a dry run.'),
  at: z.string().describe('When it began, ISO 8601.'),
  servers: z.array(z.string()).describe('Ids of the instances that were added or removed, or would be.'),
  kept: z.number().int().describe('Ports of the phase on which an instance was already; it was left alone.'),
  timings: z
    .object({
      addMs: z.number().describe('Putting the instances into the pool.'),
      startMs: z.number().describe('Until all had started, or failed to.'),
      checkMs: z.number().describe('Until all were checked.'),
      checkP50Ms: z.number().describe('One check: the median.'),
      checkP95Ms: z.number().describe('One check: 19 of 20 took no longer.'),
      rollbackMs: z.number().describe('Taking out again what was added; 0 without a failure.'),
    })
    .optional(),
  failures: z
    .array(
      z.object({
        step: z.enum(['plan', 'add', 'start', 'check', 'interrupted']),
        cause: z.string(),
        servers: z.array(z.string()),
      }),
    )
    .describe('Why it was rolled back: each cause with its servers.'),
});
export type PhaseReport = z.infer<typeof phaseReportShape>;

const phaseStatusShape = z.object({
  phase: z.number().int(),
  title: z.string(),
  shares: z.array(z.object({ category: z.string(), count: z.number().int() })),
  state: z.enum(['none', 'deploying', 'deployed']),
  servers: z.number().int().describe('Instances that the deployment of the phase added.'),
});
export type PhaseStatus = z.infer<typeof phaseStatusShape>;

/** Built-in instances by the fifty, each checked by a real call. */
export const deploymentRoutes = {
  deploymentsList: defineRoute({
    method: 'GET',
    path: '/api/v1/deployments',
    summary: 'The twenty phases with their state, and the newest reports.',
    query: z.object({ limit: z.coerce.number().int().min(1).max(1000).optional().describe('Default 50.') }),
    response: z.object({ phases: z.array(phaseStatusShape), reports: z.array(phaseReportShape) }),
  }),
  deploymentsDeploy: defineRoute({
    method: 'POST',
    path: '/api/v1/deployments',
    summary: 'Deploys one phase, or all that are missing; answers when each instance was checked by a call.',
    body: z
      .strictObject({
        phase: phaseNumber.optional(),
        all: z.boolean().optional().describe('Every phase in turn, up to the first that fails.'),
        dryRun,
      })
      .refine(({ phase, all }) => (phase === undefined) === (all === true), {
        error: 'give either a phase or all: true',
      }),
    response: z.object({ reports: z.array(phaseReportShape) }),
  }),
  deploymentsUndeploy: defineRoute({
    method: 'POST',
    path: '/api/v1/deployments/:phase/undeploy',
    summary: 'Takes out what the deployment of a phase had added.',
    params: z.object({ phase: phaseNumber }),
    body: z.strictObject({ dryRun }),
    response: phaseReportShape,
  }),
} as const;
