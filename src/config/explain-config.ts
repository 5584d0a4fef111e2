/** Every value with its source and meaning, secrets hidden. */

import { isJsonObject } from '../kernel/json-rpc.ts';
import type { ConfigSource, LoadedConfig } from './load-config.ts';
import { maskEntry } from './mask-secrets.ts';
import { listSettings, valueAt } from './settings.ts';

/** One value with where it comes from. */
export interface ExplainedSetting {
  /** Dotted path; `mcpServers.<name>` and `builtIn.<name>` one by one. */
  readonly path: string;
  readonly value: unknown;
  readonly source: ConfigSource;
  /** The flag, environment variable or file it came from; empty for a default. */
  readonly origin: string;
  readonly description: string;
}

/** The settings in schema order. */
export function explainConfig({ config, sources, file }: LoadedConfig): ExplainedSetting[] {
  return listSettings().flatMap((setting): ExplainedSetting[] => {
    const originOf = (source: ConfigSource): string =>
      ({ flag: setting.flag ?? '', env: setting.envName ?? '', file: file ?? '', default: '' })[source];
    const explain = (path: string, value: unknown): ExplainedSetting => {
      const source = sources[path] ?? 'default';
      return { path, value, source, origin: originOf(source), description: setting.description };
    };
    const value = valueAt(config, setting.path);
    if (setting.kind !== 'map') return [explain(setting.path, value)];
    const members = Object.entries(isJsonObject(value) ? value : {});
    return members.map(([name, entry]) => explain(`${setting.path}.${name}`, maskEntry(entry)));
  });
}
