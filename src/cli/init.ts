/** `init [dir]`: writes a commented config, and takes over servers that other clients already have. */

import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { defaultFileNames, findConfigFile } from '../config/config-file.ts';
import { loadConfig } from '../config/load-config.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { writeFileSafely } from './clients/write-file-safely.ts';
import { reachOf } from './connect/find-client.ts';
import { type CliContext, isInteractive } from './context.ts';
import { chooseServers, confirmReplace } from './init/ask.ts';
import { configTemplate } from './init/config-template.ts';
import { lineDiff } from './init/line-diff.ts';
import { findServers, type FoundServers } from './init/find-servers.ts';
import { nextSteps, pasteBlocks, secretLines } from './init/next-steps.ts';
import { type TakenOver, takeOver } from './init/take-over.ts';
import { endpointOf } from './mcp-endpoint.ts';
import { note, printJson, printLines, styled } from './output.ts';

interface InitOptions {
  readonly yes?: boolean;
  /** False with --no-import. */
  readonly import: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The verb `init`. */
export function initCommand(context: CliContext): Command {
  return new Command('init')
    .description('Write git-memory.config.yaml, and take over the MCP servers of other clients.')
    .argument('[dir]', 'folder of the config', '.')
    .option('--yes', 'take over every server found, without asking')
    .option('--no-import', 'take over none')
    .option('--force', 'replace a config that is there; a copy is kept')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  git-memory-mcp init --yes')
    .action((dir: string, options: InitOptions) => runInit(dir, options, context));
}

/** What the run will write, and whether it was allowed to. */
interface Plan {
  readonly folder: string;
  readonly file: string;
  readonly found: FoundServers;
  readonly taken: TakenOver;
  readonly content: string;
}

async function planInit(dir: string, options: InitOptions, context: CliContext): Promise<Plan> {
  const folder = resolve(context.cwd, dir);
  const found = options.import ? await findServers(folder, context) : { servers: [], unreadable: [] };
  const isAsking = isInteractive(context) && options.yes !== true && options.json !== true;
  // Without a terminal nobody can agree: nothing is taken over unless --yes says so.
  const chosen = options.yes === true ? found.servers : isAsking ? await chooseServers(found.servers) : [];
  const taken = takeOver(chosen);
  const file = (await findConfigFile(folder)) ?? join(folder, defaultFileNames[0]);
  return { folder, file, found, taken, content: configTemplate(taken.servers) };
}

type Change = 'written' | 'replaced' | 'exists';

/** Writes a new file; one that is there stays unless --force or a person says otherwise. */
async function write(
  { folder, file, content }: Plan,
  options: InitOptions,
  context: CliContext,
): Promise<Change> {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (before === content) return 'exists';
  if (before !== undefined) {
    if (options.json !== true) printLines(context, lineDiff(context, before, content));
    const isAsking = isInteractive(context) && options.yes !== true && options.json !== true;
    const isAllowed = options.force === true || (isAsking && (await confirmReplace(file)));
    if (!isAllowed) return 'exists';
    if (!/\.ya?ml$/.test(file))
      throw new AppError('INVALID_INPUT', {
        field: 'dir',
        problem: `${file} is not YAML; move it away first`,
      });
    await writeFileSafely(`${file}.${new Date().toISOString().replaceAll(/[:.]/g, '-')}.bak`, before);
  }
  await mkdir(folder, { recursive: true });
  await writeFileSafely(file, content, 0o644);
  return before === undefined ? 'written' : 'replaced';
}

/** The endpoint that the written config leads to; a broken file of before is told, not fixed. */
async function endpointFor(folder: string, file: string, context: CliContext): Promise<string> {
  try {
    const { config } = await loadConfig({ file, env: context.env, cwd: folder });
    return endpointOf(
      `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`,
    );
  } catch (error) {
    note(context, `warning: ${messageOf(error)}`);
    return endpointOf('http://127.0.0.1:3000');
  }
}

function report(plan: Plan, change: Change, options: InitOptions, context: CliContext): void {
  const { found, taken, file } = plan;
  if (change === 'exists') printLines(context, [`exists, unchanged: ${file}`]);
  else printLines(context, [`${styled(context, 'green', change)} ${file}`]);
  const names = Object.keys(taken.servers);
  if (change !== 'exists' && names.length > 0) printLines(context, [`taken over: ${names.join(', ')}`]);
  if (change !== 'exists') printLines(context, secretLines(context, taken.secrets));
  for (const { server, keys } of taken.dropped)
    note(context, `note: ${server}: left out ${keys.join(', ')}, which mean nothing here`);
  for (const { server, problem } of taken.refused)
    note(context, `warning: ${server} was not taken over: ${problem}`);
  for (const path of found.unreadable) note(context, `warning: ${path} is not readable as JSON`);
  if (options.yes !== true && !isInteractive(context) && found.servers.length > 0) {
    const list = found.servers.map(({ name, client }) => `${name} (${client})`).join(', ');
    note(context, `found, not taken over: ${list}; take them over with --yes`);
  }
}

async function runInit(dir: string, options: InitOptions, context: CliContext): Promise<void> {
  const target = resolve(context.cwd, dir);
  const there = await stat(target).catch(() => undefined);
  if (there && !there.isDirectory())
    throw new AppError('INVALID_INPUT', { field: 'dir', problem: `${target} is not a folder` });
  const plan = await planInit(dir, options, context);
  const change = await write(plan, options, context);
  const reach = reachOf(await endpointFor(plan.folder, plan.file, context));
  if (options.json === true) {
    printJson(context, {
      file: plan.file,
      change,
      found: plan.found.servers.map(({ name, client, file }) => ({ name, client, file })),
      takenOver: change === 'exists' ? [] : Object.keys(plan.taken.servers),
      secrets: change === 'exists' ? [] : plan.taken.secrets,
      refused: plan.taken.refused,
      endpoint: reach.url,
      paste: pasteBlocks(reach),
    });
    return;
  }
  report(plan, change, options, context);
  printLines(context, nextSteps(context, reach, plan.folder));
}
