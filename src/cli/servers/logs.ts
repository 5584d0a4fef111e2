/** `servers logs <id>`: what an instance wrote to standard error, and with `--follow` what it writes, until Ctrl-C. */

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { routes } from '../../contract/rest/routes.ts';
import { logLineShape } from '../../contract/rest/server-routes.ts';
import { isAppError } from '../../kernel/errors.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { brokenStream, readEvents } from '../event-stream.ts';
import { findCoordinator } from '../find-coordinator.ts';
import { note, plainText, printJson, printLines, styled } from '../output.ts';
import { baseUrlOf } from '../rest-client.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { watchSignals } from '../start/watch-signals.ts';

interface LogsOptions extends RestOptions {
  readonly tail?: number;
  readonly since?: string;
  readonly follow?: boolean;
}

type LogLine = z.output<typeof logLineShape>;

const firstRetryMs = 500;
const maxRetryMs = 10_000;

/** The verb `servers logs`. */
export function serversLogsCommand(context: CliContext): Command {
  return restCommand(
    'logs',
    'Show the last lines an instance wrote to standard error.',
    'servers logs docs --tail 50 --follow',
  )
    .argument('<id>', 'instance id, alias or port')
    .option('--tail <count>', 'how many lines; 200 unless --since is given', integerOption('--tail', 1, 5000))
    .option('--since <when>', 'only lines behind a position, or from a time on (ISO 8601)')
    .option('-f, --follow', 'go on with what it writes, until Ctrl-C; with --json a line of JSON for each')
    .action((id: string, options: LogsOptions) =>
      options.follow === true ? follow(id, options, context) : show(id, options, context),
    );
}

async function show(
  id: string,
  { tail, since, ...options }: LogsOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const page = await client.call('serversLogs', { params: { id }, query: { tail, since } });
  if (options.json === true) printJson(context, page);
  else
    printLines(
      context,
      page.lines.map((line) => textOf(line, context)),
    );
}

/** Reads the stream, and goes on behind the last line when the connection or the instance was replaced. */
async function follow(id: string, options: LogsOptions, context: CliContext): Promise<void> {
  const found = await findCoordinator(options, context);
  const base = baseUrlOf(found.url);
  const path = routes.serversLogs.path.replace(':id', encodeURIComponent(id));
  using watch = watchSignals(process, () => {});
  const { signal } = watch;
  let query: Record<string, string | undefined> = { tail: options.tail?.toString(), since: options.since };
  let retryMs = firstRetryMs;
  let wasOpen = false;
  while (!signal.aborted) {
    try {
      for await (const { event, id: position, data } of readEvents(base, path, query, signal, found)) {
        wasOpen = true;
        retryMs = firstRetryMs;
        query = { since: position };
        if (event === 'reset') note(context, 'lines before these are not kept any more');
        if (event === 'line') await printLine(parse(data, base), options, context);
      }
    } catch (error) {
      if (signal.aborted) break;
      if (!wasOpen || !isAppError(error, 'COORDINATOR_NOT_RUNNING')) throw error;
    }
    if (signal.aborted) break;
    await delay(retryMs, undefined, { signal }).catch(() => {});
    retryMs = Math.min(maxRetryMs, retryMs * 2);
  }
}

function parse(data: string, base: URL): LogLine {
  const parsed = logLineShape.safeParse(JSON.parse(data));
  if (!parsed.success) throw brokenStream(base, 'a line is not as expected; is it another version?');
  return parsed.data;
}

function textOf({ at, line }: LogLine, context: CliContext): string {
  return `${styled(context, 'dim', at)}\t${plainText(line)}`;
}

/** A slow reader of the pipe slows the stream; it does not fill the memory. */
async function printLine(line: LogLine, options: LogsOptions, context: CliContext): Promise<void> {
  const text = options.json === true ? JSON.stringify(line) : textOf(line, context);
  if (!context.stdout.write(`${text}\n`)) await once(context.stdout, 'drain');
}
