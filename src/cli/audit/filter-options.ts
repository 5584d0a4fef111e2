/** What `audit list` and `audit export` look for. */

import { type Command, Option } from 'commander';
import { auditOutcomes } from '../../kernel/audit.ts';
import { AppError } from '../../kernel/errors.ts';

export interface FilterOptions {
  readonly since?: string;
  readonly until?: string;
  readonly principal?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly outcome?: (typeof auditOutcomes)[number];
}

/** A date, or a time of ISO 8601 → the time in UTC. */
function timeOption(field: string): (text: string) => string {
  return (text) => {
    const ms = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?$/.test(text)
      ? Date.parse(text)
      : Number.NaN;
    if (!Number.isNaN(ms)) return new Date(ms).toISOString();
    throw new AppError('INVALID_INPUT', {
      field,
      problem: 'must look like 2026-01-31 or 2026-01-31T12:00:00Z',
    });
  };
}

export function withFilters(command: Command): Command {
  return command
    .option('--since <time>', 'not before: 2026-01-31 or 2026-01-31T12:00:00Z', timeOption('--since'))
    .option('--until <time>', 'before', timeOption('--until'))
    .option('--principal <id>', 'done by: key:<id>, or owner')
    .option('--server <id>', 'on this server')
    .option('--tool <name>', "the server's own name of the tool, or another target")
    .addOption(new Option('--outcome <outcome>', 'how it ended').choices(auditOutcomes));
}

export function filterOf({ since, until, principal, server, tool, outcome }: FilterOptions): FilterOptions {
  return {
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(principal !== undefined && { principal }),
    ...(server !== undefined && { server }),
    ...(tool !== undefined && { tool }),
    ...(outcome !== undefined && { outcome }),
  };
}
