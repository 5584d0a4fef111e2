/** The frame of the verbs that do one thing to named or selected servers. */

import type { Command } from 'commander';
import type { BulkItem, BulkRequest } from '../../contract/rest/bulk-routes.ts';
import { AppError, type ErrorCode, errorTable } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { type Column, note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** Options of every such verb. */
export interface BulkOptions extends RestOptions {
  readonly select?: string;
  readonly dryRun?: boolean;
}

type Rest = Omit<BulkRequest, 'operation' | 'select' | 'ids' | 'dryRun'>;

/** Many servers may take long to start; the coordinator bounds each by itself. */
const timeoutMs = 3_600_000;

const columns: readonly Column<BulkItem>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'OUTCOME', value: ({ outcome }) => outcome },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'CHANGE', value: ({ before, after }) => before && after && changeText(before, after) },
  { title: 'PROBLEM', value: ({ problem }) => problem },
];

function changeText(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string {
  return Object.keys(after)
    .map((key) => `${key} ${JSON.stringify(before[key])} → ${JSON.stringify(after[key])}`)
    .join(', ');
}

/** A command that takes ids or `--select`, and `--dry-run`; `rest` makes what else the operation needs. */
export function bulkCommand<Options extends BulkOptions>(
  context: CliContext,
  operation: BulkRequest['operation'],
  description: string,
  example: string,
  rest: (options: Options) => Rest = () => ({}),
): Command {
  return restCommand(operation, description, `servers ${example}`)
    .argument('[id...]', 'instance ids, aliases or ports')
    .option('--select <selector>', 'all that it chooses, e.g. category=database,state=unhealthy')
    .option('--dry-run', 'print what would be touched, and do nothing')
    .action((ids: string[], options: Options) =>
      runBulk({ operation, ...targetOf(ids, options), ...rest(options) }, options, context),
    );
}

function targetOf(ids: string[], { select, dryRun }: BulkOptions): Partial<BulkRequest> {
  if (ids.length > 0 === (select !== undefined))
    throw new AppError('INVALID_INPUT', { field: '--select', problem: 'give either ids or a selector' });
  return { ...(select === undefined ? { ids } : { select }), ...(dryRun === true && { dryRun }) };
}

async function runBulk(request: BulkRequest, options: BulkOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { items } = await client.call('serversBulk', { body: request }, timeoutMs);
  const failed = items.filter(({ outcome }) => outcome === 'failed');
  const [first] = failed;
  if (first) context.exitCode = exitOf(first.code);
  if (options.json === true) printJson(context, { items });
  else printTable(context, items, columns);
  if (failed.length > 0) note(context, `${failed.length} of ${items.length} failed`);
}

/** A newer coordinator may have codes that this version does not know. */
function exitOf(code = ''): number {
  return code in errorTable ? errorTable[code as ErrorCode].exit : errorTable.INTERNAL.exit;
}
