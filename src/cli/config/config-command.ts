/** What the config verbs share: they read the config of a folder and ask no coordinator. */

import { Command, Option } from 'commander';
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import { profileNames } from '../../config/schema.ts';
import type { CliContext } from '../context.ts';

/** Options of every config verb. */
export interface ConfigOptions {
  readonly config?: string;
  readonly profile?: string;
  readonly json?: boolean;
}

/** A verb with --config, --profile and --json. */
export function configCommand(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .option('--config <file>', 'config file (default git-memory.config.yaml, .yml or .json)')
    .addOption(
      new Option('--profile <name>', 'section of `profiles` laid over the file').choices(profileNames),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  git-memory-mcp ${example}`);
}

/** The config as `start` would see it with the same options. */
export async function loadFor(
  { config, profile }: ConfigOptions,
  context: CliContext,
): Promise<LoadedConfig> {
  return await loadConfig({
    env: context.env,
    cwd: context.cwd,
    flags: { profile },
    ...(config !== undefined && { file: config }),
  });
}
