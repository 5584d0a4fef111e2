/** `config explain [path]`: each value, where it comes from and what it means. */

import type { Command } from 'commander';
import { type ExplainedSetting, explainConfig } from '../../config/explain-config.ts';
import { nearestOf } from '../../config/nearest.ts';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { configCommand, type ConfigOptions, loadFor } from './config-command.ts';

/** The verb `config explain`. */
export function configExplainCommand(context: CliContext): Command {
  return configCommand(
    'explain',
    'Print each value with its source; secrets stay hidden.',
    'config explain limits',
  )
    .argument('[path]', 'only this setting or section, e.g. limits.bodyBytes')
    .action((path: string | undefined, options: ConfigOptions) => runConfigExplain(path, options, context));
}

function select(
  settings: readonly ExplainedSetting[],
  path: string | undefined,
): readonly ExplainedSetting[] {
  if (path === undefined) return settings;
  const found = settings.filter((setting) => setting.path === path || setting.path.startsWith(`${path}.`));
  if (found.length > 0) return found;
  const known = settings.flatMap((setting) => [setting.path, setting.path.split('.')[0]!]);
  const nearest = nearestOf(path, known);
  throw new AppError('NOT_FOUND', {
    what: 'setting',
    id: nearest === undefined ? path : `${path} (did you mean ${nearest}?)`,
  });
}

function sourceText({ source, origin }: ExplainedSetting): string {
  return origin === '' ? source : `${source} ${origin}`;
}

async function runConfigExplain(
  path: string | undefined,
  options: ConfigOptions,
  context: CliContext,
): Promise<void> {
  const loaded = await loadFor(options, context);
  const settings = select(explainConfig(loaded), path);
  if (options.json === true) {
    printJson(context, { file: loaded.file ?? null, settings });
    return;
  }
  printTable(context, settings, [
    { title: 'SETTING', value: (setting) => setting.path },
    { title: 'VALUE', value: ({ value }) => (typeof value === 'string' ? value : JSON.stringify(value)) },
    { title: 'SOURCE', value: sourceText },
    ...(path === undefined
      ? []
      : [{ title: 'MEANING', value: ({ description }: ExplainedSetting) => description }]),
  ]);
}
