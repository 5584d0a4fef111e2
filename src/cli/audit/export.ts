/** `audit export`: the log for other programs, on standard output, oldest first. */

import { once } from 'node:events';
import { type Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { type FilterOptions, filterOf, withFilters } from './filter-options.ts';
import { type AuditFormat, auditFormats, encodeItem, headOf } from './formats.ts';
import { auditCommand, type AuditOptions, withAuditLog } from './open-audit-log.ts';

interface ExportOptions extends AuditOptions, FilterOptions {
  readonly format: AuditFormat;
}

const pageSize = 1000;

/** The verb `audit export`. */
export function auditExportCommand(context: CliContext): Command {
  return withFilters(
    auditCommand(
      'export',
      'Write records to standard output, the oldest first: JSON Lines, CSV or CEF.',
      'audit export --format cef --since 2026-01-31 > audit.cef',
    ),
  )
    .addOption(new Option('--format <format>', 'form of a record').choices(auditFormats).default('jsonl'))
    .action((options: ExportOptions) => runAuditExport(options, context));
}

async function runAuditExport(options: ExportOptions, context: CliContext): Promise<void> {
  const { format, json } = options;
  const form = json === true ? 'jsonl' : format;
  const { stdout } = context;
  const write = async (text: string): Promise<void> => {
    // Whoever reads slowly is waited for.
    if (text !== '' && !stdout.write(text)) await once(stdout, 'drain');
  };
  let isBegun = false;
  await withAuditLog(options, context, async (log) => {
    let cursor: string | undefined;
    do {
      const query = { ...filterOf(options), order: 'oldest', limit: pageSize } as const;
      const page = await log.find({ ...query, ...(cursor !== undefined && { cursor }) });
      if (!isBegun) await write(headOf(form));
      isBegun = true;
      await write(page.items.map((item) => encodeItem(item, form)).join(''));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  });
}
