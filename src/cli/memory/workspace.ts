/** `memory workspace create|list|diff|merge|drop|undrop`: branches to try something in. */

import { Argument, type Command, Option } from 'commander';
import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

type Body = MemoryInput<'workspace'>;
type Answer = MemoryOutput<'workspace'>;

interface WorkspaceOptions extends RestOptions {
  readonly from?: string;
  readonly strategy?: NonNullable<Body['strategy']>;
  readonly force?: boolean;
}

/** The verb `memory workspace`. */
export function memoryWorkspaceCommand(context: CliContext): Command {
  const actions = ['create', 'list', 'diff', 'merge', 'drop', 'undrop'] as const;
  return restCommand(
    'workspace',
    'Try changes aside: make a workspace, work in it with --workspace, then merge or drop it.',
    `memory workspace create tidy-up
  git-memory-mcp memory store projects/apollo '{"phase": 3}' --workspace tidy-up
  git-memory-mcp memory workspace diff tidy-up
  git-memory-mcp memory workspace merge tidy-up`,
  )
    .addArgument(new Argument('<action>', 'what to do').choices(actions))
    .argument('[name]', 'for all but list: letters of any script, digits, dots, _ and -')
    .option('--from <version>', 'create: begin with a commit id, an ISO 8601 date or snap:<name>')
    .addOption(
      new Option(
        '--strategy <name>',
        'merge: where both sides changed a memory; refused when absent',
      ).choices(['auto', 'latest', 'ours', 'theirs']),
    )
    .option('--force', 'drop: also what is not merged')
    .action((action: Body['action'], name: string | undefined, options: WorkspaceOptions) =>
      runMemoryWorkspace(action, name, options, context),
    );
}

async function runMemoryWorkspace(
  action: Body['action'],
  name: string | undefined,
  options: WorkspaceOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const { from, strategy, force } = options;
  const done = await client.call('memoryWorkspace', { body: { action, name, from, strategy, force } });
  if (options.json === true) {
    printJson(context, done);
    return;
  }
  if (action === 'diff') printChanges(done, context);
  else printWorkspaces(done, context);
  if (done.merged) printMerge(done.merged, context);
}

function printWorkspaces({ workspaces }: Answer, context: CliContext): void {
  printTable(context, workspaces, [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'AHEAD', value: ({ ahead }) => ahead, alignRight: true },
    { title: 'BEHIND', value: ({ behind }) => behind, alignRight: true },
    { title: 'CHANGED', value: ({ changed }) => changed, alignRight: true },
    { title: 'COMMIT', value: ({ commit }) => commit.slice(0, 12) },
    { title: 'UPDATED', value: ({ updatedAt }) => updatedAt },
    { title: 'BY', value: ({ actor }) => actor },
    { title: 'STATE', value: ({ stale }) => (stale ? 'stale' : '') },
  ]);
}

function printChanges({ changes = [], omitted = 0 }: Answer, context: CliContext): void {
  printTable(context, changes, [
    { title: 'CHANGE', value: ({ change }) => change },
    { title: 'SCOPE', value: ({ scope }) => scope },
    { title: 'KEY', value: ({ key }) => key },
    { title: 'MAIN', value: ({ changedInMain }) => (changedInMain ? 'changed too' : '') },
  ]);
  if (omitted > 0) note(context, `${omitted} more are not shown`);
}

function printMerge({ kind, head, conflicts }: NonNullable<Answer['merged']>, context: CliContext): void {
  note(context, kind === 'up-to-date' ? 'nothing to merge' : `merged; main is at ${head.slice(0, 12)}`);
  for (const { scope, key, path, kind: what } of conflicts)
    note(context, `conflict (${what}): ${scope === undefined ? path : `${scope}/${key}`}`);
}
