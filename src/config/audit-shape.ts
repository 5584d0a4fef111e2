/** The part of the config that is about the audit log. */

import { z } from 'zod';

export const auditShape = z.strictObject({
  mode: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe('Whether calls and changes are written down; `auto`: where `auth.mode` is `required`.'),
  arguments: z
    .enum(['digest', 'redacted'])
    .default('digest')
    .describe(
      'What is kept of arguments: their SHA-256 only, or also the arguments themselves, shortened and without what looks like a secret.',
    ),
  onFailure: z
    .enum(['block', 'allow'])
    .default('block')
    .describe(
      'While the log cannot be written: refuse calls and changes, or let them go on and count what is lost.',
    ),
  retentionDays: z.int().min(1).max(36_500).default(365).describe('Records of older days (UTC) are removed.'),
  checkpointEvery: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1000)
    .describe('Sign the end of the log every so many records, and write the signature into the Git memory.'),
  checkpointMinutes: z
    .int()
    .min(1)
    .max(1440)
    .default(10)
    .describe('The same after so many minutes, if anything was written.'),
});

/** Whether this config has calls and changes written down. */
export function isAuditOn({
  audit,
  auth,
}: {
  readonly audit: { readonly mode: 'auto' | 'on' | 'off' };
  readonly auth: { readonly mode: string };
}): boolean {
  return audit.mode === 'on' || (audit.mode === 'auto' && auth.mode === 'required');
}
