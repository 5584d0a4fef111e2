/** `servers inspect <id>`: all that is known of one instance. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printFacts, printJson } from '../output.ts';
import type { CallOutput } from '../rest-client.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

type Inspected = CallOutput<'serversInspect'>;
type ReplicaItem = Inspected['replicaStates'][number];

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
  const {
    serverInfo,
    capabilities,
    toolNames,
    tools: _,
    tags,
    replicaStates,
    bounds,
    scale,
    queue,
    ...facts
  } = server;
  printFacts(context, {
    ...facts,
    tags: tags?.join(', '),
    identity: serverInfo && `${String(serverInfo['name'])} ${String(serverInfo['version'])}`,
    capabilities: capabilities && Object.keys(capabilities).join(', '),
    ...Object.fromEntries(replicaStates.map((replica, n) => [`replica ${n + 1}`, describe(replica)])),
    ...(bounds && {
      'replica bounds': `${bounds.min} to ${bounds.max}${scale.byHand ? ', set by hand' : ''}`,
    }),
    queue: queue && describeQueue(queue),
    ...Object.fromEntries(
      scale.decisions.map((decision, n) => [`decision ${n + 1}`, describeDecision(decision)]),
    ),
    tools: toolNames.length,
    'tool names': toolNames.join(', '),
  });
}

/** `2026-11-21T09:00:00.000Z, 1 to 3: 11.2 calls at a time …`. */
function describeDecision({ at, from, to, reason }: Inspected['scale']['decisions'][number]): string {
  return `${at}, ${from} to ${to}: ${reason}`;
}

/** `3 of 1000 wait, 10000 ms at most; 8 calls a replica; priority normal; 0 refused`. */
function describeQueue(queue: NonNullable<Inspected['queue']>): string {
  const { waiting, maxWaiting, maxWaitMs, maxConcurrency, priority, refused } = queue;
  return `${waiting} of ${maxWaiting} wait, ${maxWaitMs} ms at most; ${maxConcurrency} calls a replica; priority ${priority}; ${refused} refused`;
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
