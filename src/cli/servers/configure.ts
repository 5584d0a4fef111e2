/** `servers configure`: changes settings of running servers; kept over restarts. */

import type { Command } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { jsonOrText, repeated, splitPair } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { bulkCommand, type BulkOptions } from './bulk-command.ts';

interface ConfigureOptions extends BulkOptions {
  readonly set?: readonly string[];
  readonly unset?: readonly string[];
}

const example = `configure --select category=api --set timeoutMs=5000 --set 'tags=["slow"]'
  git-memory-mcp servers configure sqlite-3104 --set health.failures=3 --unset timeoutMs

A value is JSON, or text as it stands. The former values are in the column CHANGE, and with --json under "before".`;

/** The verb `servers configure`. */
export function serversConfigureCommand(context: CliContext): Command {
  return bulkCommand<ConfigureOptions>(
    context,
    'configure',
    'Change settings of servers: title, tags, replicas, lazy, timeoutMs, idleMs, selection, health, settings.',
    example,
    (options) => ({
      ...(options.set && { set: settingsOf(options.set) }),
      ...(options.unset && { unset: [...options.unset] }),
    }),
  )
    .option('--set <name=value>', 'new value of a setting; dots lead into it (repeatable)', repeated)
    .option('--unset <name>', 'back to what the source of the server says (repeatable)', repeated);
}

/** `['a.b=1', 'c=x']` → `{a: {b: 1}, c: 'x'}`. Throws INVALID_INPUT. */
function settingsOf(pairs: readonly string[]): JsonObject {
  const all: JsonObject = {};
  for (const pair of pairs) {
    const [path, text] = splitPair(pair, '--set');
    if (text === undefined)
      throw new AppError('INVALID_INPUT', { field: '--set', problem: `${path} has no =value` });
    const steps = path.split('.');
    const last = steps.pop()!;
    let place = all;
    for (const step of steps) {
      const found = Object.hasOwn(place, step) ? place[step] : undefined;
      const inner = isJsonObject(found) ? found : {};
      place[step] = inner;
      place = inner;
    }
    place[last] = jsonOrText(text);
  }
  return all;
}
