/** Routes of the policy: who may do what. */

import { z } from 'zod';
import { defineRoute } from '../define-route.ts';
import { policyShape, policyTestShape, questionFields, roleShape, subjectFields } from '../policy-shape.ts';

const versionShape = z
  .string()
  .describe(
    'Etag of the policy in the memory; built-in when none is set, invalid when what is there is none.',
  );

const differenceShape = z.object({
  role: z.string(),
  action: z.string(),
  server: z.string().optional(),
  tool: z.string().optional(),
  decided: z.enum(['allow', 'deny']).describe('By the policy in force.'),
  tried: z.enum(['allow', 'deny']).describe('By the one on trial.'),
  rule: z.string().optional().describe('What would decide.'),
  count: z.number().int(),
});

const shadowShape = z.object({
  version: z.string(),
  compared: z.number().int().describe('Decisions that were made by both.'),
  different: z.number().int(),
  differences: z.array(differenceShape).describe('The first 100 kinds of them.'),
});

const decisionShape = z.object({
  decision: z.enum(['allow', 'deny']),
  rule: z.string().optional().describe('What decided; absent when nothing allows it.'),
  problem: z.string().optional().describe('A condition that could not be decided on.'),
  text: z.string().optional().describe('The rule as it is written.'),
  role: z.string(),
});

const testReportShape = z.object({
  passed: z.number().int(),
  failed: z.number().int(),
  results: z.array(
    decisionShape.extend({
      name: z.string(),
      expect: z.enum(['allow', 'deny']),
      isMet: z.boolean(),
    }),
  ),
});

const setAnswer = z.object({ version: versionShape, roles: z.array(z.string()), tests: z.number().int() });

export const policyRoutes = {
  policyShow: defineRoute({
    method: 'GET',
    path: '/api/v1/policy',
    summary: 'The policy in force, the built-in roles, and how a trial goes.',
    response: z.object({
      version: versionShape,
      problem: z.string().optional().describe('Why the policy in the memory is not in force.'),
      policy: policyShape.optional().describe('Absent when none is set.'),
      builtIn: z.record(z.string(), roleShape),
      shadow: shadowShape.optional(),
    }),
  }),
  policySet: defineRoute({
    method: 'PUT',
    path: '/api/v1/policy',
    summary:
      'Puts a policy in force, if it is sound and its own tests hold; kept in the memory with its history.',
    body: z.strictObject({
      policy: policyShape,
      ifMatch: z.string().max(64).optional().describe('Only if this is the version in force.'),
    }),
    response: setAnswer,
  }),
  policyTest: defineRoute({
    method: 'POST',
    path: '/api/v1/policy/test',
    action: 'policy:test',
    summary: 'Tries examples on a policy, or on the one in force.',
    body: z.strictObject({
      policy: policyShape.optional(),
      tests: z.array(policyTestShape).max(500).optional(),
    }),
    response: testReportShape,
  }),
  policyWhy: defineRoute({
    method: 'POST',
    path: '/api/v1/policy/why',
    action: 'policy:read',
    summary: 'Says whether somebody may do something, and which rule decides.',
    body: z.strictObject({ ...subjectFields, ...questionFields }),
    response: decisionShape,
  }),
  policyHistory: defineRoute({
    method: 'GET',
    path: '/api/v1/policy/history',
    summary: 'Versions of the policy, newest first.',
    response: z.object({
      versions: z.array(
        z.object({ commit: z.string().nullable(), at: z.string(), actor: z.string(), op: z.string() }),
      ),
    }),
  }),
  policyRevert: defineRoute({
    method: 'POST',
    path: '/api/v1/policy/revert',
    summary: 'Puts a former version of the policy in force, as a new one.',
    body: z.strictObject({ to: z.string().min(4).max(100).describe('Commit of the history, or a date.') }),
    response: setAnswer,
  }),
  policyTry: defineRoute({
    method: 'PUT',
    path: '/api/v1/policy/shadow',
    summary:
      'Tries a policy beside the one in force: it decides nothing, and what it would change is counted.',
    body: z.strictObject({ policy: policyShape }),
    response: shadowShape,
  }),
  policyTryEnd: defineRoute({
    method: 'DELETE',
    path: '/api/v1/policy/shadow',
    summary: 'Ends the trial and answers how it went.',
    response: shadowShape,
  }),
} as const;
