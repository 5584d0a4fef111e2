/** `audit list`: what was done, by whom, and how it ended. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { type FilterOptions, filterOf, withFilters } from './filter-options.ts';
import { auditCommand, type AuditOptions, withAuditLog } from './open-audit-log.ts';

interface ListOptions extends AuditOptions, FilterOptions {
  readonly limit: number;
  readonly cursor?: string;
}

/** The verb `audit list`. */
export function auditListCommand(context: CliContext): Command {
  return withFilters(
    auditCommand(
      'list',
      'List calls and changes with who made them and how they ended, the newest first.',
      'audit list --principal key:1f2e3d4c5b6a --outcome refused --since 2026-01-31',
    ),
  )
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 1000), 100)
    .option('--cursor <cursor>', 'go on where a former list ended: its `nextCursor`')
    .action((options: ListOptions) => runAuditList(options, context));
}

async function runAuditList(options: ListOptions, context: CliContext): Promise<void> {
  const { limit, cursor } = options;
  const query = { ...filterOf(options), limit, ...(cursor !== undefined && { cursor }) };
  const page = await withAuditLog(options, context, (log) => log.find(query));
  if (options.json === true) {
    printJson(context, page);
    return;
  }
  printTable(context, page.items, [
    { title: 'SEQ', value: ({ seq }) => seq, alignRight: true },
    { title: 'TIME', value: ({ at }) => at },
    { title: 'WHO', value: ({ principal }) => principal ?? '-' },
    { title: 'ROLE', value: ({ role }) => role ?? '-' },
    { title: 'ACTION', value: ({ action }) => action },
    { title: 'SERVER', value: ({ server }) => server ?? '-' },
    { title: 'TARGET', value: ({ target }) => target },
    { title: 'OUTCOME', value: ({ outcome, code }) => (code === null ? outcome : `${outcome} ${code}`) },
    { title: 'MS', value: ({ latencyMs }) => latencyMs.toFixed(1), alignRight: true },
  ]);
}
