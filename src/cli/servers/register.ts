/** `servers register <name> <url>`: registers a server that runs already, and speaks for it until it is stopped. */

import { type Command, Option } from 'commander';
import { entryCategories } from '../../config/server-entry.ts';
import { isAppError } from '../../kernel/errors.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { ProblemError } from '../print-error.ts';
import type { CallInput, RestClient } from '../rest-client.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { watchSignals } from '../start/watch-signals.ts';

interface RegisterOptions extends RestOptions {
  readonly ttl: number;
  readonly category?: string;
  readonly title?: string;
  readonly once?: boolean;
}

const help = `servers register docs http://10.0.0.7:8080/mcp --ttl 30

Sends heartbeats three times in each TTL, registers again when the coordinator was restarted, and ends the
registration when it is stopped with Ctrl-C. The coordinator must permit it: discovery.registration.enabled.`;

/** The verb `servers register`. */
export function serversRegisterCommand(context: CliContext): Command {
  return restCommand('register', 'Register a server that runs elsewhere, and keep it registered.', help)
    .argument('<name>', 'name of the server; the prefix of its tools')
    .argument('<url>', 'its MCP endpoint')
    .option('--ttl <seconds>', 'it is taken out after so much silence', integerOption('--ttl', 5, 3600), 30)
    .addOption(new Option('--category <category>', 'category it is routed in').choices(entryCategories))
    .option('--title <text>', 'name for people')
    .option('--once', 'register, print the lease and leave: heartbeats are up to you')
    .action((name: string, url: string, options: RegisterOptions) =>
      runServersRegister(name, url, options, context),
    );
}

async function runServersRegister(
  name: string,
  url: string,
  options: RegisterOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const { ttl: ttlSeconds, category, title } = options;
  const body = {
    name,
    url,
    ttlSeconds,
    ...(category !== undefined && { category }),
    ...(title !== undefined && { title }),
  };
  const registration = await client.call('registrationsCreate', { body });
  if (options.json === true) printJson(context, registration);
  else note(context, `registered ${name} until ${registration.expiresAt}`);
  if (options.once === true) {
    if (options.json !== true) note(context, `lease: ${registration.lease}`);
    return;
  }
  context.outlivesReaders = true;
  using signals = watchSignals(process, () => note(context, 'ending the registration'));
  const lease = await keepAlive(client, body, registration.lease, signals.asked, context);
  await client.call('registrationsEnd', { params: { name }, body: { lease } }).catch(() => {});
}

type Body = CallInput<'registrationsCreate'>['body'] & { readonly ttlSeconds: number };

/** Heartbeats until asked to stop; resolves with the lease that holds then. */
async function keepAlive(
  client: RestClient,
  body: Body,
  first: string,
  asked: Promise<void>,
  context: CliContext,
): Promise<string> {
  let lease = first;
  const { name } = body;
  for (;;) {
    const pause = Promise.withResolvers<false>();
    const timer = setTimeout(() => pause.resolve(false), (body.ttlSeconds * 1000) / 3);
    const isOver = await Promise.race([asked.then(() => true), pause.promise]);
    clearTimeout(timer);
    if (isOver) return lease;
    try {
      await client.call('registrationsHeartbeat', { params: { name }, body: { lease } });
    } catch (error) {
      const isForgotten = error instanceof ProblemError && error.problem.code === 'NOT_FOUND';
      if (!isForgotten && !isAppError(error, 'COORDINATOR_NOT_RUNNING')) throw error;
      if (isForgotten) {
        ({ lease } = await client.call('registrationsCreate', { body }));
        note(context, 'registered again');
      }
    }
  }
}
