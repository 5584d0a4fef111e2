/** `audit verify`: whether the log still says what was written; also while nothing runs. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { auditCommand, type AuditOptions, withAuditLog } from './open-audit-log.ts';

/** The verb `audit verify`. */
export function auditVerifyCommand(context: CliContext): Command {
  return auditCommand(
    'verify',
    'Find records that were edited, removed, moved, put in or cut off. Ends with 1 if there are any.',
    'audit verify --offline',
  ).action((options: AuditOptions) => runAuditVerify(options, context));
}

async function runAuditVerify(options: AuditOptions, context: CliContext): Promise<void> {
  const report = await withAuditLog(options, context, (log) => log.verify());
  if (!report.healthy) context.exitCode = 1;
  if (options.json === true) {
    printJson(context, report);
    return;
  }
  printTable(context, report.findings, [
    { title: 'SEVERITY', value: ({ severity }) => severity },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'SEQ', value: ({ seq }) => seq, alignRight: true },
    { title: 'PROBLEM', value: ({ problem }) => problem },
  ]);
  const { healthy, records, first, last, signedTo, checkpoints } = report;
  const verdict = healthy ? 'whole' : 'not what was written';
  note(
    context,
    `${verdict}: ${records} records (${first} to ${last}), signed up to ${signedTo} by ${checkpoints} checkpoints`,
  );
}
