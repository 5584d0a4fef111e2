/** `memory import <source>`: a folder such as an Obsidian vault, JSON Lines or a knowledge graph into the memory. */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { note, plainText, printFacts, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { graphPrefix } from './formats/knowledge-graph.ts';
import { badInput } from './formats/memory-entry.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';
import { type MemoryFormat, memoryFormats, openSource, type Source } from './transfer/open-source.ts';
import { createTransferProgress } from './transfer/progress.ts';
import {
  type ExistingPolicy,
  type Outcome,
  placeOfEntry,
  storeEntries,
  type StoreResult,
} from './transfer/store-entries.ts';

interface ImportOptions extends MemoryOptions {
  readonly format?: MemoryFormat;
  readonly prefix?: string;
  readonly dryRun?: boolean;
  readonly overwrite?: boolean;
  readonly skipExisting?: boolean;
}

/** The verb `memory import`. */
export function memoryImportCommand(context: CliContext): Command {
  return memoryCommand(
    'import',
    'Store the memories of a folder (an Obsidian vault too), JSON Lines or a knowledge graph; run it again to go on.',
    `memory import ./vault --prefix notes/ --dry-run
  git-memory-mcp memory import shared.jsonl --skip-existing
  git-memory-mcp memory import memory.jsonl --format knowledge-graph`,
  )
    .argument('<source>', 'folder or file to read')
    .addOption(new Option('--format <format>', 'default: found out from the source').choices(memoryFormats))
    .option('--prefix <prefix>', `goes before every key (knowledge-graph: ${graphPrefix})`)
    .option('--dry-run', 'say what would happen, store nothing')
    .addOption(
      new Option('--overwrite', 'store over other values').conflicts(['skipExisting', 'failExisting']),
    )
    .addOption(new Option('--skip-existing', 'leave other values as they are').conflicts('failExisting'))
    .option('--fail-existing', 'report other values as failed (default)')
    .action((source: string, options: ImportOptions) => runMemoryImport(source, options, context));
}

/** Reads everything once before anything is stored: a bad line or two entries for one key end the import here. */
async function checkSource(
  source: Source,
  where: { scope: string | undefined; prefix: string },
): Promise<number> {
  const seen = new Map<string, string>();
  for await (const { entry, place } of source.entries()) {
    const { scope, key } = placeOfEntry(entry, where);
    const id = `${scope}\0${key.normalize('NFC')}`;
    const before = seen.get(id);
    if (before !== undefined) throw badInput(place, `has the key ${key}, as has ${before}`);
    seen.set(id, place);
  }
  return seen.size;
}

function policyOf({ overwrite, skipExisting }: ImportOptions): ExistingPolicy {
  if (overwrite === true) return 'overwrite';
  return skipExisting === true ? 'skip' : 'fail';
}

async function runMemoryImport(path: string, options: ImportOptions, context: CliContext): Promise<void> {
  const isJson = options.json === true;
  const isDryRun = options.dryRun === true;
  const source = await openSource(resolve(context.cwd, path), options.format);
  const where = {
    scope: options.scope,
    prefix: options.prefix ?? (source.format === 'knowledge-graph' ? graphPrefix : ''),
  };
  const total = await checkSource(source, where);
  const client = await connectRest(options, context);
  const counts: Record<Outcome, number> = { created: 0, updated: 0, same: 0, skipped: 0, failed: 0 };
  const failures: StoreResult[] = [];
  {
    using progress = createTransferProgress(context, 'imported', isJson, total);
    const settings = { ...where, isDryRun, existing: policyOf(options) };
    for await (const result of storeEntries(client, source.entries(), settings)) {
      counts[result.outcome]++;
      if (result.outcome === 'failed') failures.push(result);
      progress.step();
    }
  }
  if (counts.failed > 0) context.exitCode = 1;
  if (isJson) {
    printJson(context, { source: path, format: source.format, dryRun: isDryRun, ...counts, failures });
    return;
  }
  for (const { place, key, problem } of failures)
    note(context, plainText(`failed ${place}: ${key}: ${problem}`));
  printFacts(context, { ...counts });
  if (isDryRun) note(context, 'nothing was stored (--dry-run)');
}
