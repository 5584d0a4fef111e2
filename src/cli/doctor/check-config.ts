/** The config: valid, and no environment variable that means something else than it says. */

import { type LoadConfigOptions, type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import { nearestOf } from '../../config/nearest.ts';
import { listSettings } from '../../config/settings.ts';
import { toAppError } from '../../kernel/errors.ts';
import { trustVariables } from '../trust.ts';
import type { Finding } from './finding.ts';

/** Variables of the command line that are no settings. */
const otherVariables = ['GIT_MEMORY_MCP_URL', 'GIT_MEMORY_MCP_KEY', ...Object.values(trustVariables)];

/** GIT_MEMORY_MCP_… variables that nobody reads: usually a slip of the pen. */
function checkVariables(env: LoadConfigOptions['env']): Finding[] {
  const known = [...listSettings().flatMap(({ envName }) => envName ?? []), ...otherVariables];
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('GIT_MEMORY_MCP_') && !known.includes(name),
  );
  return unknown.map((name) => {
    const nearest = nearestOf(name, known);
    return {
      check: `variable ${name}`,
      status: 'warn',
      detail: 'has no meaning here',
      fix: nearest === undefined ? 'unset it' : `did you mean ${nearest}?`,
    };
  });
}

/** The config if it is valid, with what there is to say about it. */
export async function checkConfig(
  options: LoadConfigOptions,
): Promise<{ loaded?: LoadedConfig; findings: Finding[] }> {
  const variables = checkVariables(options.env);
  try {
    const loaded = await loadConfig(options);
    const detail = loaded.file ?? 'no config file; defaults';
    return { loaded, findings: [{ check: 'config', status: 'ok', detail }, ...variables] };
  } catch (error) {
    const detail = toAppError(error).message;
    return {
      findings: [
        {
          check: 'config',
          status: 'fail',
          detail,
          fix: 'correct it; git-memory-mcp config validate lists every mistake',
        },
        ...variables,
      ],
    };
  }
}
