/** `stop`: asks the coordinator to drain, and waits until it is gone. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { AppError, isAppError } from '../kernel/errors.ts';
import { integerOption } from './arguments.ts';
import type { CliContext } from './context.ts';
import { findCoordinator } from './find-coordinator.ts';
import { note, printJson } from './output.ts';
import { createRestClient, type RestClient } from './rest-client.ts';
import { type RestOptions, restCommand } from './rest-command.ts';

interface StopOptions extends RestOptions {
  readonly timeoutMs: number;
}

const pollMs = 100;

/** The verb `stop`. */
export function stopCommand(context: CliContext): Command {
  return restCommand('stop', 'Drain and stop the coordinator, and wait until it is gone.', 'stop')
    .option(
      '--timeout-ms <ms>',
      'longest wait, in milliseconds',
      integerOption('--timeout-ms', 1, 3_600_000),
      60_000,
    )
    .action((options: StopOptions) => runStop(options, context));
}

/** True while a process exists; one of another user counts too. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function answers(client: RestClient): Promise<boolean> {
  try {
    await client.call('status', {}, 2000);
    return true;
  } catch (error) {
    // Anything but silence is a sign of life: it may be draining.
    return !isAppError(error, 'COORDINATOR_NOT_RUNNING');
  }
}

async function runStop(options: StopOptions, context: CliContext): Promise<void> {
  const found = await findCoordinator(options, context);
  const client = createRestClient(found.url, found);
  const { pid } = await client.call('status', {});
  await client.call('shutdown', {});
  // Its process can be watched only from the same machine; a foreign id there could be anyone's.
  const isLocal = found.pid === pid;
  const deadlineMs = performance.now() + options.timeoutMs;
  while (isLocal ? isAlive(pid) : await answers(client)) {
    if (performance.now() > deadlineMs) {
      throw new AppError('UPSTREAM_TIMEOUT', {
        server: `coordinator ${client.url}`,
        method: 'shutdown',
        timeoutMs: options.timeoutMs,
      });
    }
    await sleep(pollMs);
  }
  if (options.json === true) printJson(context, { stopped: true, pid });
  else note(context, `stopped process ${pid}`);
}
