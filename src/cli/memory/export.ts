/** `memory export <target>`: memories as a folder of Markdown and JSON, JSON Lines or a knowledge graph. */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { repeated } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { encodeJsonFile, encodeMarkdown } from './formats/folder-file.ts';
import { createFolderNames } from './formats/folder-names.ts';
import { encodeJsonLine } from './formats/json-lines.ts';
import { encodeEntity, graphPrefix } from './formats/knowledge-graph.ts';
import type { StoredMemory } from './formats/memory-entry.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';
import { type MemoryFormat, memoryFormats } from './transfer/open-source.ts';
import { createTransferProgress } from './transfer/progress.ts';
import { readMemories } from './transfer/read-memories.ts';
import {
  checkTarget,
  type TargetFile,
  writeFileTarget,
  writeFolderTarget,
  type WrittenTarget,
} from './transfer/write-target.ts';

interface ExportOptions extends MemoryOptions {
  readonly format?: MemoryFormat;
  readonly prefix?: string;
  readonly tag?: readonly string[];
  readonly force?: boolean;
}

/** The verb `memory export`. */
export function memoryExportCommand(context: CliContext): Command {
  return memoryCommand(
    'export',
    'Write memories of a scope as a folder (opens in Obsidian), JSON Lines or a knowledge graph.',
    `memory export ./vault --prefix notes/
  git-memory-mcp memory export shared.jsonl
  git-memory-mcp memory export memory.jsonl --format knowledge-graph`,
  )
    .argument('<target>', 'folder or file to write')
    .addOption(
      new Option('--format <format>', 'default: jsonl for a target that ends so, else folder').choices(
        memoryFormats,
      ),
    )
    .option('--prefix <prefix>', `only keys that start so (knowledge-graph: ${graphPrefix})`)
    .option('--tag <tag>', 'only with this label (repeatable)', repeated)
    .option('--force', 'replace a file; move a folder that is not empty aside')
    .action((target: string, options: ExportOptions) => runMemoryExport(target, options, context));
}

/** Memories as files; each is named before the next, so that names stay distinct. */
async function* folderFiles(memories: AsyncIterable<StoredMemory>): AsyncGenerator<TargetFile> {
  const names = createFolderNames();
  for await (const memory of memories) {
    const { key, value } = memory;
    const kind = typeof value === 'string' ? 'text' : 'json';
    const { path, isChanged } = names.nameOf(key, kind);
    const text =
      typeof value === 'string' ? encodeMarkdown({ ...memory, value }, isChanged) : encodeJsonFile(memory);
    yield { path, text };
  }
}

async function* jsonLines(memories: AsyncIterable<StoredMemory>): AsyncGenerator<string> {
  for await (const memory of memories) yield encodeJsonLine(memory);
}

/** Entities first, then relations, as the server itself writes them. */
async function* graphLines(
  memories: AsyncIterable<StoredMemory>,
  onSkip: () => void,
): AsyncGenerator<string> {
  const relations: string[] = [];
  for await (const { value } of memories) {
    const lines = encodeEntity(value);
    if (lines?.entity !== undefined) yield `${lines.entity}\n`;
    if (lines) relations.push(...lines.relations);
    else onSkip();
  }
  for (const line of relations) yield `${line}\n`;
}

async function runMemoryExport(target: string, options: ExportOptions, context: CliContext): Promise<void> {
  const path = resolve(context.cwd, target);
  const format = options.format ?? (/\.jsonl$/i.test(path) ? 'jsonl' : 'folder');
  await checkTarget(path, options.force === true);
  const client = await connectRest(options, context);
  const scope = options.scope ?? 'shared';
  const prefix = options.prefix ?? (format === 'knowledge-graph' ? graphPrefix : undefined);
  let exported = 0;
  let skipped = 0;
  let written: WrittenTarget;
  {
    using progress = createTransferProgress(context, 'exported', options.json === true);
    async function* counted(): AsyncGenerator<StoredMemory> {
      for await (const memory of readMemories(client, { scope, prefix, tags: options.tag })) {
        yield memory;
        exported++;
        progress.step();
      }
    }
    if (format === 'folder') written = await writeFolderTarget(path, folderFiles(counted()));
    else if (format === 'jsonl') written = await writeFileTarget(path, jsonLines(counted()));
    else
      written = await writeFileTarget(
        path,
        graphLines(counted(), () => skipped++),
      );
  }
  const { movedTo } = written;
  if (options.json === true) {
    printJson(context, { target: path, format, scope, exported: exported - skipped, skipped, ...written });
    return;
  }
  if (movedTo !== undefined) note(context, `what was there is now ${movedTo}`);
  if (skipped > 0) note(context, `left out ${skipped} that are no entities`);
  note(context, `exported ${exported - skipped} memories of ${scope} to ${path}`);
}
