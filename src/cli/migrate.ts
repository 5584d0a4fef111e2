/** `migrate`: the state of a data folder moves to PostgreSQL. */

import { Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/load-config.ts';
import { problemOfUrl, resolveStore } from '../config/resolve-store.ts';
import { AppError } from '../kernel/errors.ts';
import type { CliContext } from './context.ts';
import { note, printJson, printTable } from './output.ts';

interface MigrateOptions {
  readonly data?: string;
  readonly config?: string;
  readonly toEnv?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** The verb `migrate`. */
export function migrateCommand(context: CliContext): Command {
  return new Command('migrate')
    .description('Copy the state of a data folder (all but the memory) to an empty PostgreSQL database.')
    .option('--data <folder>', 'data folder to copy from (default .git-memory); no coordinator may run on it')
    .option('--config <file>', 'config file; its `store` names the database unless --to-env does')
    .option('--to-env <name>', 'environment variable with the address of the database, postgresql://…')
    .option('--dry-run', 'look at both sides and change nothing')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Example:
  git-memory-mcp migrate --to-env DATABASE_URL --dry-run

The SQLite file stays as it is. To go back, take \`store\` out of the config; what was changed meanwhile is in PostgreSQL only.`,
    )
    .action((options: MigrateOptions) => runMigrate(options, context));
}

async function runMigrate(options: MigrateOptions, context: CliContext): Promise<void> {
  const loaded = await loadConfig({
    env: context.env,
    cwd: context.cwd,
    flags: { dataDir: options.data },
    ...(options.config !== undefined && { file: options.config }),
  });
  const { dataDir } = loaded.config;
  const url = await targetOf(options, loaded, context);
  const isDryRun = options.dryRun === true;
  // Loaded here, so that the other verbs start without them.
  const [{ lockDataDir }, { moveToPostgres }] = await Promise.all([
    import('../memory/lock-data-dir.ts'),
    import('../store/move-store.ts'),
  ]);
  using _lock = lockDataDir(dataDir);
  const report = await moveToPostgres({
    dataDir,
    url,
    isDryRun,
    onTable: (name, rows) => {
      if (context.stderr.isTTY) note(context, `${name}: ${rows} rows`);
    },
  });
  if (options.json === true) {
    printJson(context, { ...report, dryRun: isDryRun });
    return;
  }
  printTable(context, report.tables, [
    { title: 'TABLE', value: ({ name }) => name },
    { title: 'ROWS', value: ({ rows }) => rows, alignRight: true },
  ]);
  if (isDryRun) note(context, `nothing was changed; ${report.to} is empty and would get these rows`);
  else note(context, nextSteps(report, options, loaded));
}

/** Never taken from an argument: others on the machine can read those. */
async function targetOf(
  { toEnv }: MigrateOptions,
  loaded: LoadedConfig,
  { env }: CliContext,
): Promise<string> {
  if (toEnv === undefined) {
    const store = await resolveStore(loaded, env);
    if (store) return store.url;
    const problem = 'is missing; name a variable with the address, or set `store` in the config';
    throw new AppError('INVALID_INPUT', { field: '--to-env', problem });
  }
  const url = env[toEnv];
  const problem = url === undefined || url === '' ? `names ${toEnv}, which is not set` : problemOfUrl(url);
  if (url === undefined || problem !== undefined)
    throw new AppError('INVALID_INPUT', { field: '--to-env', problem });
  return url;
}

function nextSteps(
  { from, to }: { readonly from: string; readonly to: string },
  { toEnv }: MigrateOptions,
  { config }: LoadedConfig,
): string {
  const use = config.store
    ? `The config uses ${to} from the next start.`
    : `Put into the config, to use ${to} from the next start:\n  store: { url: { env: ${toEnv} } }`;
  return `${use}\n${from} is as it was: to go back, take \`store\` out of the config.`;
}
