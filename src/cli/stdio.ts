/** `stdio`: lets a client that only starts programs (Claude Desktop) use the running coordinator. */

import type { Command } from 'commander';
import { rpcCodes } from '../kernel/json-rpc.ts';
import { integerOption } from './arguments.ts';
import type { CliContext } from './context.ts';
import { findCoordinator } from './find-coordinator.ts';
import { endpointOf } from './mcp-endpoint.ts';
import { type RestOptions, restCommand } from './rest-command.ts';
import { watchSignals } from './start/watch-signals.ts';
import { createBridge } from './stdio/bridge.ts';
import { createHttpLink } from './stdio/http-link.ts';
import { readLines } from './stdio/read-lines.ts';

interface StdioOptions extends RestOptions {
  readonly server?: string;
  readonly category?: string;
  readonly bundle?: string;
  readonly search?: boolean;
  readonly waitMs: number;
}

/** Requests still open when the client closes its end get so long. */
const lastAnswersMs = 5000;

/** The verb `stdio`. */
export function stdioCommand(context: CliContext): Command {
  return restCommand(
    'stdio',
    'Bridge a client that speaks MCP over stdio to the running coordinator.',
    'stdio --url http://127.0.0.1:3000',
  )
    .option('--server <id>', 'only this server, tool names untouched')
    .option('--category <category>', 'only this category')
    .option('--bundle <name>', 'only this bundle of tools')
    .option('--search', 'three tools that find all others, instead of a list of hundreds')
    .option(
      '--wait-ms <ms>',
      'how long a coordinator that is not there is waited for',
      integerOption('--wait-ms', 0, 600_000),
      10_000,
    )
    .action((options: StdioOptions) => runStdio(options, context));
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

async function runStdio(options: StdioOptions, context: CliContext): Promise<void> {
  const { url, key, trust } = await findCoordinator(options, context);
  // A coordinator with a new certificate has put it into its data folder.
  const findTrust = trust && (async () => (await findCoordinator(options, context)).trust ?? {});
  const emit = (message: unknown) => context.stdout.write(`${JSON.stringify(message)}\n`);
  using signals = watchSignals(process, () => context.stdin.destroy());
  await using bridge = createBridge(
    createHttpLink(endpointOf(url, options), { waitMs: options.waitMs, key, findTrust }),
    emit,
  );
  try {
    for await (const line of readLines(context.stdin)) {
      const message = parseLine(line);
      if (message === undefined)
        emit({ jsonrpc: '2.0', id: null, error: { code: rpcCodes.parseError, message: 'not JSON' } });
      else await bridge.take(message);
    }
  } catch (error) {
    // Ended by a signal.
    if (!signals.signal.aborted) throw error;
    return;
  }
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, lastAnswersMs);
  await Promise.race([bridge.settled(), late]);
  clearTimeout(timer);
}
