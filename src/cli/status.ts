/** `status`: what is running. */

import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { formatBytes, printFacts, printJson } from './output.ts';
import { connectRest, type RestOptions, restCommand } from './rest-command.ts';

/** The verb `status`. */
export function statusCommand(context: CliContext): Command {
  return restCommand(
    'status',
    'Show what is running, since when, with how many servers.',
    'status --json',
  ).action((options: RestOptions) => runStatus(options, context));
}

async function runStatus(options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const status = await client.call('status', {});
  if (options.json === true) {
    printJson(context, status);
    return;
  }
  const { byState, total } = status.servers;
  const states = Object.entries(byState).map(([state, count]) => `${count} ${state}`);
  printFacts(context, {
    endpoint: status.endpoint,
    version: status.version,
    process: status.pid,
    started: status.startedAt,
    'up for': `${Math.floor(status.uptimeSeconds)} s`,
    servers: `${total}${states.length > 0 ? ` (${states.join(', ')})` : ''}`,
    sessions: status.sessions,
    memory: `${status.memory.keys} keys, ${status.memory.commits} commits, ${status.memory.journalPending} pending`,
    rss: formatBytes(status.rssBytes),
    data: status.dataDir,
    store: `${status.store.kind} ${status.store.at}`,
    config: status.config.file,
    'config problem': status.config.problem,
    'needs a restart': status.config.needsRestart.join(', ') || undefined,
  });
}
