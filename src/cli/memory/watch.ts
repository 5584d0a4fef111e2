/** `memory watch`: prints changes as they come, until Ctrl-C; a connection that breaks is made again. */

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { isAppError } from '../../kernel/errors.ts';
import type { MemoryFeedChange } from '../../kernel/memory/change-operations.ts';
import type { CliContext } from '../context.ts';
import { findCoordinator } from '../find-coordinator.ts';
import { note, plainText, styled } from '../output.ts';
import { baseUrlOf } from '../rest-client.ts';
import { watchSignals } from '../start/watch-signals.ts';
import { type ChangeEvent, readChanges } from './change-events.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

interface WatchOptions extends MemoryOptions {
  readonly prefix?: string;
  readonly since?: string;
}

const firstRetryMs = 500;
const maxRetryMs = 10_000;

/** The verb `memory watch`. */
export function memoryWatchCommand(context: CliContext): Command {
  return memoryCommand(
    'watch',
    'Print changes as they come, in all scopes unless --scope says otherwise, until Ctrl-C.',
    'memory watch --prefix projects/ --json',
  )
    .option('--prefix <prefix>', 'only keys that start so')
    .option('--since <position>', 'first what changed since a position of the change feed')
    .action((options: WatchOptions) => runMemoryWatch(options, context));
}

async function runMemoryWatch(options: WatchOptions, context: CliContext): Promise<void> {
  const found = await findCoordinator(options, context);
  const base = baseUrlOf(found.url);
  const { scope, prefix } = options;
  using watch = watchSignals(process, () => {});
  const { signal } = watch;
  let { since } = options;
  let retryMs = firstRetryMs;
  let wasOpen = false;
  while (!signal.aborted) {
    try {
      for await (const event of readChanges(base, { since, scope, prefix }, signal, found)) {
        wasOpen = true;
        retryMs = firstRetryMs;
        since = event.kind === 'change' ? event.change.position : event.next;
        await printEvent(event, options, context);
      }
    } catch (error) {
      if (signal.aborted) break;
      if (!wasOpen || !isAppError(error, 'COORDINATOR_NOT_RUNNING')) throw error;
    }
    if (signal.aborted) break;
    note(context, `the connection is gone; trying again from ${since ?? 'now'}`);
    await delay(retryMs, undefined, { signal }).catch(() => {});
    retryMs = Math.min(maxRetryMs, retryMs * 2);
  }
}

async function printEvent(event: ChangeEvent, options: WatchOptions, context: CliContext): Promise<void> {
  if (event.kind === 'ready') {
    if (context.stderr.isTTY) note(context, `watching from ${event.next}; Ctrl-C ends it`);
    return;
  }
  const isJson = options.json === true;
  if (event.kind === 'change') {
    const { change } = event;
    await printLine(isJson ? JSON.stringify(change) : lineOf(change, context), context);
  } else if (isJson) await printLine(JSON.stringify({ reset: true, next: event.next }), context);
  else note(context, 'changes before this are not kept any more; read what you need anew');
}

/** A slow reader of the pipe slows the stream; it does not fill the memory. */
async function printLine(line: string, { stdout }: CliContext): Promise<void> {
  if (!stdout.write(`${line}\n`)) await once(stdout, 'drain');
}

function lineOf({ at, op, scope, key, etag, actor }: MemoryFeedChange, context: CliContext): string {
  const cells = [at, op, scope, key, etag?.slice(0, 12) ?? '', actor].map((cell) =>
    plainText(cell).replaceAll(/[\t\n]+/g, ' '),
  );
  if (!context.stdout.isTTY) return cells.join('\t');
  return `${styled(context, 'dim', cells[0] ?? '')}  ${op.padEnd(9)}  ${cells[2]}/${cells[3]}  (${cells[5]})`;
}
