/** Routes of the audit log. */

import { z } from 'zod';
import { auditOutcomes, auditWays } from '../../kernel/audit.ts';
import { defineRoute } from '../define-route.ts';
import { pageQuery } from './page-query.ts';

export const auditItemShape = z.object({
  seq: z.int(),
  tenant: z.string(),
  at: z.string().describe('When it began.'),
  latencyMs: z.number(),
  way: z.enum(auditWays),
  principal: z.string().nullable(),
  role: z.string().nullable(),
  action: z.string().describe('tools/call, PUT /api/v1/bundles/:name, git-receive-pack, keys create.'),
  server: z.string().nullable(),
  target: z.string().describe('The server’s own name of the tool, the path, the id of the key.'),
  digest: z.string().nullable().describe('SHA-256 of the arguments as stable JSON.'),
  arguments: z.unknown().optional().describe('Without secrets, where audit.arguments is redacted.'),
  outcome: z.enum(auditOutcomes),
  code: z.string().nullable(),
  requestId: z.string().nullable(),
  config: z.string().describe('Digest of the config in force.'),
  definition: z.string().nullable().describe('Digest of the tool’s definition.'),
  details: z.record(z.string(), z.unknown()).optional(),
  hash: z.string().describe('Of this record and, through it, of all before it.'),
});
export type AuditItem = z.infer<typeof auditItemShape>;

const instant = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), { error: 'must be a time such as 2026-01-31T12:00:00Z' })
  .transform((text) => new Date(text).toISOString());

export const auditFilterShape = z.object({
  since: instant.optional().describe('Not before this time.'),
  until: instant.optional().describe('Before this time.'),
  principal: z.string().optional(),
  server: z.string().optional(),
  tool: z.string().optional().describe('The server’s own name of the tool, or another target.'),
  outcome: z.enum(auditOutcomes).optional(),
});

const auditFindingShape = z.object({
  severity: z
    .enum(['error', 'warning'])
    .describe(
      'error: the log is not what was written; warning: something that vouches for it is not as it should be.',
    ),
  kind: z.enum(['edited', 'reordered', 'removed', 'inserted', 'cut-off', 'checkpoint']),
  seq: z.int().describe('Of the record that it was found at.'),
  problem: z.string(),
});
export type AuditFinding = z.infer<typeof auditFindingShape>;

export const auditReportShape = z.object({
  tenant: z.string(),
  healthy: z.boolean(),
  records: z.int(),
  first: z.int(),
  last: z.int(),
  checkpoints: z.int().describe('Checkpoints that fit.'),
  signedTo: z.int().describe('Up to this record a checkpoint vouches.'),
  findings: z.array(auditFindingShape),
});
export type AuditReport = z.infer<typeof auditReportShape>;

/** Listing and checking of the caller's tenant's records. */
export const auditRoutes = {
  auditList: defineRoute({
    method: 'GET',
    path: '/api/v1/audit',
    summary: 'Lists what was done, by whom, and how it ended.',
    query: auditFilterShape.extend({
      ...pageQuery,
      cursor: z
        .string()
        .regex(/^\d{1,15}$/, { error: 'must be a nextCursor' })
        .optional(),
      order: z.enum(['newest', 'oldest']).optional().describe('Default newest.'),
    }),
    response: z.object({ items: z.array(auditItemShape), nextCursor: z.string().optional() }),
  }),
  auditVerify: defineRoute({
    method: 'GET',
    path: '/api/v1/audit-verify',
    summary: 'Checks that no record was changed, removed or put in.',
    response: auditReportShape,
  }),
} as const;
