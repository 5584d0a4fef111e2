/** `memory verify`: everything that the memory's files promise one another, checked; also while nothing runs. */

import type { Command } from 'commander';
import { loadConfig } from '../../config/load-config.ts';
import { resolveBackup } from '../../config/resolve-backup.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import type { RestClient } from '../rest-client.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface VerifyOptions extends RestOptions {
  readonly full?: boolean;
  readonly backups?: boolean;
  readonly offline?: boolean;
  readonly config?: string;
}

type Answer = MemoryOutput<'verify'>;
type Report = Omit<Answer, 'running' | 'step' | 'findings'> & {
  readonly findings: readonly Answer['findings'][number][];
};

const timeoutMs = 6 * 3_600_000;
const pollMs = 1000;

/** The verb `memory verify`. */
export function memoryVerifyCommand(context: CliContext): Command {
  return restCommand(
    'verify',
    'Check repository, journal, index, search and, on request, backups. Ends with 1 if there is an error.',
    'memory verify --full --backups',
  )
    .option('--full', 'read every value, and restore every backup for a look')
    .option('--backups', 'check the backups too')
    .option('--offline', 'check the files of the data folder; so it is also done when nothing runs there')
    .option('--config <file>', 'config file, for the place of the backups while nothing runs')
    .action((options: VerifyOptions) => runMemoryVerify(options, context));
}

async function runMemoryVerify(options: VerifyOptions, context: CliContext): Promise<void> {
  const report =
    options.offline === true ? await checkFiles(options, context) : await askOrCheck(options, context);
  if (report.healthy !== true) context.exitCode = 1;
  if (options.json === true) {
    printJson(context, report);
    return;
  }
  printTable(context, report.findings, [
    { title: 'SEVERITY', value: ({ severity }) => severity },
    { title: 'WHERE', value: ({ where }) => where },
    { title: 'PROBLEM', value: ({ problem }) => problem },
    { title: 'FIX', value: ({ fix }) => fix },
  ]);
  const { commits = 0, entries = 0, journalRecords = 0, backups = 0 } = report.checked ?? {};
  const verdict = report.healthy === true ? 'healthy' : 'damaged';
  const looked = `${commits} commits, ${entries} values, ${journalRecords} journal records, ${backups} backups`;
  note(context, `${verdict}: looked at ${looked} in ${report.seconds ?? 0} s`);
}

/** Where nobody answers, the files are checked, unless someone was asked by name. */
async function askOrCheck(options: VerifyOptions, context: CliContext): Promise<Report> {
  try {
    return await ask(await connectRest(options, context), options, context);
  } catch (error) {
    const isNamed = options.url !== undefined || (context.env['GIT_MEMORY_MCP_URL'] ?? '') !== '';
    if (isNamed || !isAppError(error, 'COORDINATOR_NOT_RUNNING')) throw error;
    return checkFiles(options, context);
  }
}

/** Asks the coordinator, and meanwhile tells a terminal how far it is. */
async function ask(client: RestClient, options: VerifyOptions, context: CliContext): Promise<Report> {
  const { full, backups } = options;
  const body = { ...(full === true && { full }), ...(backups === true && { backups }) };
  let step: string | undefined;
  const tell = async () => {
    const status = await client.call('memoryVerify', { body: { action: 'status' } });
    if (status.step !== undefined && status.step !== step) note(context, `checking ${status.step}`);
    step = status.step ?? step;
  };
  const timer = context.stderr.isTTY ? setInterval(() => void tell().catch(() => {}), pollMs) : undefined;
  try {
    return await client.call('memoryVerify', { body }, timeoutMs);
  } finally {
    clearInterval(timer);
  }
}

async function checkFiles(options: VerifyOptions, context: CliContext): Promise<Report> {
  const loaded = await loadConfig({
    env: context.env,
    cwd: context.cwd,
    flags: { dataDir: options.data },
    ...(options.config !== undefined && { file: options.config }),
  });
  const { dataDir } = loaded.config;
  note(context, `no coordinator is asked; checking the files of ${dataDir}`);
  const backup = options.backups === true ? await resolveBackup(loaded, context.env) : undefined;
  if (options.backups === true && !backup) {
    const problem = 'cannot be checked: memory.backup.to is not set in the config';
    throw new AppError('INVALID_INPUT', { field: '--backups', problem });
  }
  // Loaded here, so that the other verbs start without the engine.
  const { verifyStopped } = await import('../../memory/verify/verify-stopped.ts');
  return verifyStopped(
    {
      dataDir,
      isFull: options.full === true,
      ...(backup && { backups: { target: backup, encryptionKey: backup.encryptionKey } }),
    },
    (step) => {
      if (context.stderr.isTTY) note(context, `checking ${step}`);
    },
  );
}
