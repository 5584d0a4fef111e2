/** `doctor`: what is wrong, and how to fix it. */

import { Command } from 'commander';
import type { LoadedConfig } from '../config/load-config.ts';
import type { CliContext } from './context.ts';
import { checkCertificate } from './doctor/check-certificate.ts';
import { checkConfig } from './doctor/check-config.ts';
import { checkInstancePorts, checkPort } from './doctor/check-ports.ts';
import { checkServers } from './doctor/check-servers.ts';
import { checkDataDir, checkDisk, checkLock } from './doctor/check-storage.ts';
import { checkStore } from './doctor/check-store.ts';
import { checkGit, checkNode } from './doctor/check-tools.ts';
import type { Finding } from './doctor/finding.ts';
import { printJson, printTable } from './output.ts';

interface DoctorOptions {
  readonly config?: string;
  readonly data?: string;
  readonly port?: string;
  readonly profile?: string;
  readonly json?: boolean;
}

/** The verb `doctor`. */
export function doctorCommand(context: CliContext): Command {
  return new Command('doctor')
    .description(
      'Check Node, Git, ports, disk, config and each server: what is wrong and how to fix it. Ends with 1 if something is.',
    )
    .option('--config <file>', 'config file (default git-memory.config.yaml, .yml or .json)')
    .option('--data <folder>', 'data folder (default .git-memory)')
    .option('--port <port>', 'port of the endpoint (default 3000)')
    .option('--profile <name>', 'section of `profiles` laid over the file')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  git-memory-mcp doctor')
    .action((options: DoctorOptions) => runDoctor(options, context));
}

async function checkPlace(loaded: LoadedConfig, context: CliContext): Promise<Finding[]> {
  const { config } = loaded;
  const findings = await Promise.all([
    checkDataDir(config.dataDir),
    checkDisk(config.dataDir),
    checkLock(config.dataDir, context),
    checkCertificate(loaded, context),
    checkStore(loaded, context),
    checkPort(config, context),
    checkInstancePorts(config, context),
  ]);
  return [...findings.filter((finding) => finding !== undefined), ...(await checkServers(loaded, context))];
}

async function runDoctor(options: DoctorOptions, context: CliContext): Promise<void> {
  const { loaded, findings } = await checkConfig({
    env: context.env,
    cwd: context.cwd,
    flags: { dataDir: options.data, port: options.port, profile: options.profile },
    ...(options.config !== undefined && { file: options.config }),
  });
  const all = [
    checkNode(),
    await checkGit(context),
    ...findings,
    ...(loaded ? await checkPlace(loaded, context) : []),
  ];
  const isHealthy = all.every(({ status }) => status !== 'fail');
  if (!isHealthy) context.exitCode = 1;
  if (options.json === true) {
    printJson(context, { healthy: isHealthy, checks: all });
    return;
  }
  printTable(context, all, [
    { title: 'STATUS', value: ({ status }) => status },
    { title: 'CHECK', value: ({ check }) => check },
    { title: 'FOUND', value: ({ detail }) => detail },
    { title: 'FIX', value: ({ fix }) => fix },
  ]);
}
