/** `start`: the one verb that runs the coordinator instead of asking it. */

import { access, constants, mkdir } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { loadConfig } from '../config/load-config.ts';
import { authModes } from '../config/auth-shape.ts';
import { profileNames } from '../config/schema.ts';
import type { Coordinator } from '../coordinator.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import { createRedactor } from '../kernel/redact-values.ts';
import { createLogger, type Logger } from '../kernel/log.ts';
import type { CliContext } from './context.ts';
import { note, printLines, printTable, styled } from './output.ts';
import { createProgress } from './start/progress.ts';
import { type CategoryRow, isUp, summarise } from './start/summary.ts';
import { watchSignals } from './start/watch-signals.ts';

interface StartOptions {
  readonly servers?: string;
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly config?: string;
  readonly profile?: string;
  readonly ports?: boolean;
  readonly logLevel?: string;
  readonly auth?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly json?: boolean;
}

/** Starts the coordinator and stays until it is asked to stop. */
export function startCommand(context: CliContext): Command {
  return new Command('start')
    .description('Start the servers and the endpoint, and stay until stopped (Ctrl-C).')
    .option('--servers <count>', 'built-in server instances to start, 0 to 1000 (default 20)')
    .option('--port <port>', 'port of the endpoint; 0 takes any free one (default 3000)')
    .option('--host <address>', 'address to listen on (default 127.0.0.1)')
    .option('--data <folder>', 'folder of the memory and all other state (default .git-memory)')
    .option('--config <file>', 'config file (default git-memory.config.yaml, .yml or .json)')
    .addOption(
      new Option('--profile <name>', 'section of `profiles` laid over the file').choices(profileNames),
    )
    .option('--ports', "open each instance's own port too")
    .addOption(
      new Option('--log-level <level>', 'least severity written to standard error').choices([
        'debug',
        'info',
        'warn',
        'error',
        'silent',
      ]),
    )
    .addOption(
      new Option(
        '--auth <mode>',
        'local: no keys, loopback only (default); required: every request shows a key',
      ).choices(authModes),
    )
    .option('--tls-cert <file>', 'certificate, PEM: with --tls-key the endpoint speaks HTTPS')
    .option('--tls-key <file>', 'private key of that certificate, PEM')
    .option('--json', 'print one JSON line when ready, instead of progress and table')
    .addHelpText('after', '\nExample:\n  git-memory-mcp start --servers 20 --data ./memory')
    .action((options: StartOptions) => runStart(options, context));
}

async function runStart(options: StartOptions, context: CliContext): Promise<void> {
  const startedAtMs = performance.now();
  const load = () =>
    loadConfig({
      env: context.env,
      cwd: context.cwd,
      flags: {
        servers: options.servers,
        port: options.port,
        host: options.host,
        dataDir: options.data,
        profile: options.profile,
        instancePorts: options.ports,
        logLevel: options.logLevel,
        'auth.mode': options.auth,
        'tls.cert': options.tlsCert,
        'tls.key': options.tlsKey,
      },
      ...(options.config !== undefined && { file: options.config }),
    });
  const loaded = await load();
  await checkWritable(loaded.config.dataDir);
  context.outlivesReaders = true;
  // A person who did not ask for a level watches the progress bar and the table, which tell of failures too.
  const isQuiet = context.stderr.isTTY && loaded.sources['logLevel'] === 'default';
  const redactor = createRedactor();
  const { redact } = redactor;
  const logger = createLogger({ level: isQuiet ? 'error' : loaded.config.logLevel, redact });
  using signals = watchSignals(process, () => note(context, 'stopping; press Ctrl-C again to stop at once'));
  using progress = createProgress(context, options.json === true);
  // Loaded here, so that the other verbs start without the whole coordinator.
  const { startCoordinator } = await import('../coordinator.ts');
  let coordinator: Coordinator;
  try {
    coordinator = await startCoordinator(loaded, {
      logger,
      redactor,
      onProgress: (report) => progress.update(report),
      signal: signals.signal,
      loadConfig: load,
    });
  } catch (error) {
    if (!signals.signal.aborted || !(isAppError(error, 'SHUTTING_DOWN') || isAbort(error))) throw error;
    note(context, 'stopped before it was ready');
    return;
  }
  progress[Symbol.dispose]();
  try {
    announce(coordinator, (performance.now() - startedAtMs) / 1000, options, context);
    await Promise.race([signals.asked, coordinator.stopped, crashOf(logger, context)]);
  } finally {
    await coordinator[Symbol.asyncDispose]();
  }
  note(context, 'stopped');
}

/** Told here in words; deeper down it would be an error of SQLite. Throws STORAGE_FAILED. */
async function checkWritable(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK);
  } catch (error) {
    throw new AppError('STORAGE_FAILED', { path: dataDir, problem: messageOf(error) }, { cause: error });
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** An error that nobody caught leaves the process in an unknown state: log it, then drain and leave with 1. */
async function crashOf(logger: Logger, context: CliContext): Promise<void> {
  const error = await new Promise<unknown>((resolve) => {
    process.once('uncaughtException', resolve);
    process.once('unhandledRejection', resolve);
  });
  logger.error({ err: error }, 'uncaught error; stopping');
  context.exitCode = 1;
}

function announce(
  coordinator: Coordinator,
  seconds: number,
  options: StartOptions,
  context: CliContext,
): void {
  const servers = coordinator.servers();
  const rows = summarise(servers);
  const up = servers.filter(isUp).length;
  if (options.json === true) {
    const { url, failures, lacksKeys } = coordinator;
    const rounded = Number(seconds.toFixed(3));
    context.stdout.write(
      `${JSON.stringify({ ready: true, url, pid: process.pid, servers: servers.length, up, failures, seconds: rounded, categories: rows, lacksKeys })}\n`,
    );
    return;
  }
  printTable<CategoryRow>(context, rows, [
    { title: 'CATEGORY', value: ({ category }) => category },
    { title: 'INSTANCES', value: ({ instances }) => instances, alignRight: true },
    { title: 'PORTS', value: ({ ports }) => ports },
    { title: 'HEALTH', value: ({ health }) => health },
  ]);
  for (const { id, reason } of coordinator.failures) {
    printLines(context, [`${styled(context, 'red', 'failed')}  ${id}  ${reason.replaceAll(/\s+/g, ' ')}`]);
  }
  printLines(context, [
    `${styled(context, 'green', 'ready')}  ${coordinator.url}  ${up} ${up === 1 ? 'server' : 'servers'}  ${seconds.toFixed(1)} s`,
  ]);
  // On the terminal only: whoever has it becomes the owner.
  if (coordinator.ownerLink !== undefined)
    note(context, `nobody owns this gateway yet; open this once, within a day:\n${coordinator.ownerLink}`);
  if (coordinator.lacksKeys)
    note(
      context,
      'no program can come in yet; make a key: git-memory-mcp keys create --name me --role owner',
    );
}
