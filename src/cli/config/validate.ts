/** `config validate [file]`: every mistake with its line and the nearest right key. */

import type { Command } from 'commander';
import {
  resolveReference,
  resolveSecrets,
  resolveSettings,
  secretSource,
} from '../../config/resolve-secrets.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { isAppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printLines } from '../output.ts';
import { keptSecrets } from '../secrets/kept-secrets.ts';
import { configCommand, type ConfigOptions, loadFor } from './config-command.ts';

/** The verb `config validate`. */
export function configValidateCommand(context: CliContext): Command {
  return configCommand(
    'validate',
    'Check the config: keys, values, and that its secrets can be read.',
    'config validate ./git-memory.config.yaml',
  )
    .argument('[file]', 'config file; same as --config')
    .action((file: string | undefined, options: ConfigOptions) =>
      runConfigValidate(file === undefined ? options : { ...options, config: file }, context),
    );
}

/** References that cannot be read here: a warning, because the coordinator may run with another environment. */
async function unreadable(loaded: LoadedConfig, context: CliContext): Promise<string[]> {
  const { config } = loaded;
  await using secrets = keptSecrets(loaded, context);
  const source = { env: context.env, ...secretSource({ ...loaded, secrets }) };
  const entries = Object.entries(config.mcpServers).filter(([, entry]) => entry.disabled !== true);
  const readings = [
    ...entries.map(([name, entry]) => resolveSecrets(entry, { ...source, name })),
    ...Object.entries(config.memory.remotes).flatMap(([name, { credential }]) =>
      credential ? [resolveReference(credential, `memory.remotes.${name}.credential`, source)] : [],
    ),
    ...config.exporters.map(({ settings = {} }, at) =>
      resolveSettings(settings, `exporters.${at}.settings`, source),
    ),
  ];
  const warnings: string[] = [];
  for (const reading of await Promise.allSettled(readings)) {
    if (reading.status === 'fulfilled') continue;
    if (!isAppError(reading.reason, 'CONFIG_INVALID')) throw reading.reason;
    warnings.push(String(reading.reason.data['problem']));
  }
  return warnings;
}

async function runConfigValidate(options: ConfigOptions, context: CliContext): Promise<void> {
  const loaded = await loadFor(options, context);
  const warnings = await unreadable(loaded, context);
  if (options.json === true) {
    printJson(context, { valid: true, file: loaded.file ?? null, warnings });
    return;
  }
  for (const warning of warnings) note(context, `warning: ${warning}`);
  printLines(context, [
    loaded.file === undefined ? 'valid: no config file, defaults only' : `valid: ${loaded.file}`,
  ]);
}
