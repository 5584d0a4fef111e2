/** `memory diff <key> <from> [to]`. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { plainText, printJson, printLines, styled } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

/** The verb `memory diff`. */
export function memoryDiffCommand(context: CliContext): Command {
  return memoryCommand(
    'diff',
    'Show what changed in a key between two versions; without <to>: up to now.',
    'memory diff projects/apollo 4f2a91c',
  )
    .argument('<key>', 'name, slash-separated')
    .argument('<from>', 'a commit id, an ISO 8601 date or snap:<name>')
    .argument('[to]', 'a commit id, an ISO 8601 date or snap:<name>')
    .action((key: string, from: string, to: string | undefined, options: MemoryOptions) =>
      runMemoryDiff({ key, from, to }, options, context),
    );
}

/** The empty path is the whole value. */
function fieldText(path: string, value: unknown): string {
  return `${path === '' ? '' : `${path}: `}${JSON.stringify(value)}`;
}

function coloured(context: CliContext, line: string): string {
  if (line.startsWith('+')) return styled(context, 'green', line);
  if (line.startsWith('-')) return styled(context, 'red', line);
  return line.startsWith('@@') ? styled(context, 'cyan', line) : line;
}

async function runMemoryDiff(
  versions: { key: string; from: string; to: string | undefined },
  options: MemoryOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const diff = await client.call('memoryDiff', { body: { ...versions, scope: options.scope } });
  if (options.json === true) {
    printJson(context, diff);
    return;
  }
  const fields = diff.changes.flatMap(({ path, before, after }) => [
    ...(before === undefined ? [] : [`- ${fieldText(path, before)}`]),
    ...(after === undefined ? [] : [`+ ${fieldText(path, after)}`]),
  ]);
  const lines = diff.patch === '' ? fields : diff.patch.replace(/\n$/, '').split('\n');
  printLines(
    context,
    lines.map((line) => coloured(context, plainText(line))),
  );
}
