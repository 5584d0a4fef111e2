/** `servers inspect <id>`: all that is known of one instance. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printFacts, printJson } from '../output.ts';
import type { CallOutput } from '../rest-client.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

type ReplicaItem = CallOutput<'serversInspect'>['replicaStates'][number];

/** The verb `servers inspect`. */
export function serversInspectCommand(context: CliContext): Command {
  return restCommand(
    'inspect',
    'Show one instance: state, endpoint, identity, tools.',
    'servers inspect sqlite-3104',
  )
    .alias('show')
    .argument('<id>', 'instance id, alias or port')
    .action((id: string, options: RestOptions) => runServersInspect(id, options, context));
}

async function runServersInspect(id: string, options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const server = await client.call('serversInspect', { params: { id } });
  if (options.json === true) {
    printJson(context, server);
    return;
  }
  const { serverInfo, capabilities, toolNames, tools: _, replicaStates, ...facts } = server;
  printFacts(context, {
    ...facts,
    identity: serverInfo && `${String(serverInfo['name'])} ${String(serverInfo['version'])}`,
    capabilities: capabilities && Object.keys(capabilities).join(', '),
    ...Object.fromEntries(replicaStates.map((replica, n) => [`replica ${n + 1}`, describe(replica)])),
    tools: toolNames.length,
    'tool names': toolNames.join(', '),
  });
}

/** `ready, pid 4711, 3 calls under way, 12 ms on average, circuit closed`. */
function describe({
  state,
  reason,
  pid,
  inFlight,
  latencyMs,
  breaker,
  restarts,
  lastBreak,
}: ReplicaItem): string {
  const facts = [
    state,
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    `${inFlight} calls under way`,
    `${latencyMs} ms on average`,
    `circuit ${breaker}`,
    `${restarts} restarts`,
    ...(lastBreak === undefined ? [] : [`broke at ${lastBreak.at}: ${lastBreak.reason}`]),
  ];
  return facts.join(', ') + (reason === undefined ? '' : `: ${reason}`);
}
