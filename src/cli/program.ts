/** The command tree. One line a verb; each lives in its own file. */

import { Command } from 'commander';
import { product } from '../kernel/product.ts';
import type { CliContext } from './context.ts';
import { serversListCommand } from './servers/list.ts';
import { serversInspectCommand } from './servers/inspect.ts';
import { policyHistoryCommand } from './policy/history.ts';
import { policyRevertCommand } from './policy/revert.ts';
import { policySetCommand } from './policy/set.ts';
import { policyShadowCommand } from './policy/shadow.ts';
import { policyShowCommand } from './policy/show.ts';
import { policyTestCommand } from './policy/test.ts';
import { policyWhyCommand } from './policy/why.ts';
import { serversAddCommand } from './servers/add.ts';
import { serversRemoveCommand } from './servers/remove.ts';
import { serversStartCommand } from './servers/start.ts';
import { serversStopCommand } from './servers/stop.ts';
import { serversRestartCommand } from './servers/restart.ts';
import { serversApproveCommand } from './servers/approve.ts';
import { serversChangesCommand } from './servers/changes.ts';
import { serversRevertCommand } from './servers/revert.ts';
import { serversLogsCommand } from './servers/logs.ts';
import { auditExportCommand } from './audit/export.ts';
import { auditListCommand } from './audit/list.ts';
import { auditVerifyCommand } from './audit/verify.ts';
import { bundlesAddCommand } from './bundles/add.ts';
import { bundlesListCommand } from './bundles/list.ts';
import { bundlesRemoveCommand } from './bundles/remove.ts';
import { bundlesShowCommand } from './bundles/show.ts';
import { serversRegisterCommand } from './servers/register.ts';
import { serversSourcesCommand } from './servers/sources.ts';
import { serversHistoryCommand } from './servers/history.ts';
import { serversConfigureCommand } from './servers/configure.ts';
import { serversScaleCommand } from './servers/scale.ts';
import { serversQuarantineCommand } from './servers/quarantine.ts';
import { serversReleaseCommand } from './servers/release.ts';
import { serversDeployCommand } from './servers/deploy.ts';
import { serversUndeployCommand } from './servers/undeploy.ts';
import { serversDeploymentsCommand } from './servers/deployments.ts';
import { guardrailsTestCommand } from './guardrails/test.ts';
import { keysCreateCommand } from './keys/create.ts';
import { keysListCommand } from './keys/list.ts';
import { keysRevokeCommand } from './keys/revoke.ts';
import { keysRotateCommand } from './keys/rotate.ts';
import { limitsShowCommand } from './limits/show.ts';
import { usersDisableCommand } from './users/disable.ts';
import { usersEnableCommand } from './users/enable.ts';
import { usersInviteCommand } from './users/invite.ts';
import { usersListCommand } from './users/list.ts';
import { usersResetCommand } from './users/reset.ts';
import { usersSetRoleCommand } from './users/set-role.ts';
import { secretsListCommand } from './secrets/list.ts';
import { secretsRemoveCommand } from './secrets/remove.ts';
import { secretsRotateKeyCommand } from './secrets/rotate-key.ts';
import { secretsSetCommand } from './secrets/set.ts';
import { toolsListCommand } from './tools/list.ts';
import { toolsCallCommand } from './tools/call.ts';
import { memoryStoreCommand } from './memory/store.ts';
import { memoryRetrieveCommand } from './memory/retrieve.ts';
import { memoryListCommand } from './memory/list.ts';
import { memorySearchCommand } from './memory/search.ts';
import { memoryDeleteCommand } from './memory/delete.ts';
import { memoryHistoryCommand } from './memory/history.ts';
import { memoryDiffCommand } from './memory/diff.ts';
import { memoryRestoreCommand } from './memory/restore.ts';
import { memoryStoreManyCommand } from './memory/store-many.ts';
import { memoryAppendCommand } from './memory/append.ts';
import { memoryIncrementCommand } from './memory/increment.ts';
import { memoryWorkspaceCommand } from './memory/workspace.ts';
import { memoryLinksCommand } from './memory/links.ts';
import { memoryConflictsCommand } from './memory/conflicts.ts';
import { memoryResolveCommand } from './memory/resolve.ts';
import { memorySnapshotCommand } from './memory/snapshot.ts';
import { memoryWatchCommand } from './memory/watch.ts';
import { memorySyncCommand } from './memory/sync.ts';
import { memoryRemotesCommand } from './memory/remotes.ts';
import { memoryStatsCommand } from './memory/stats.ts';
import { memoryExportCommand } from './memory/export.ts';
import { memoryImportCommand } from './memory/import.ts';
import { memoryBackupCommand } from './memory/backup.ts';
import { memoryVerifyCommand } from './memory/verify.ts';
import { memoryRecoverCommand } from './memory/recover.ts';
import { memoryForgetCommand } from './memory/forget.ts';
import { memoryReindexCommand } from './memory/reindex.ts';
import { memoryRekeyCommand } from './memory/rekey.ts';
import { configValidateCommand } from './config/validate.ts';
import { configReloadCommand } from './config/reload.ts';
import { configExplainCommand } from './config/explain.ts';
import { configSchemaCommand } from './config/schema.ts';
import { connectCommand } from './connect.ts';
import { disconnectCommand } from './disconnect.ts';
import { doctorCommand } from './doctor.ts';
import { initCommand } from './init.ts';
import { migrateCommand } from './migrate.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { stdioCommand } from './stdio.ts';
import { stopCommand } from './stop.ts';

interface Noun {
  readonly name: string;
  readonly description: string;
  readonly verbs: readonly ((context: CliContext) => Command)[];
}

const verbs: Noun['verbs'] = [
  initCommand,
  connectCommand,
  disconnectCommand,
  startCommand,
  stopCommand,
  statusCommand,
  doctorCommand,
  migrateCommand,
  stdioCommand,
];

const nouns: readonly Noun[] = [
  {
    name: 'servers',
    description: 'Server instances of the running coordinator.',
    verbs: [
      serversListCommand,
      serversInspectCommand,
      serversAddCommand,
      serversRemoveCommand,
      serversStartCommand,
      serversStopCommand,
      serversRestartCommand,
      serversConfigureCommand,
      serversScaleCommand,
      serversQuarantineCommand,
      serversReleaseCommand,
      serversLogsCommand,
      serversChangesCommand,
      serversApproveCommand,
      serversRevertCommand,
      serversRegisterCommand,
      serversSourcesCommand,
      serversHistoryCommand,
      serversDeployCommand,
      serversUndeployCommand,
      serversDeploymentsCommand,
    ],
  },
  {
    name: 'tools',
    description: 'Tools behind the endpoint.',
    verbs: [toolsListCommand, toolsCallCommand],
  },
  {
    name: 'policy',
    description: 'Who may do what: roles and rules.',
    verbs: [
      policyShowCommand,
      policySetCommand,
      policyTestCommand,
      policyWhyCommand,
      policyShadowCommand,
      policyHistoryCommand,
      policyRevertCommand,
    ],
  },
  {
    name: 'bundles',
    description: 'Chosen sets of tools under endpoints of their own.',
    verbs: [bundlesListCommand, bundlesShowCommand, bundlesAddCommand, bundlesRemoveCommand],
  },
  {
    name: 'keys',
    description: 'Keys that open a coordinator started with --auth required.',
    verbs: [keysCreateCommand, keysListCommand, keysRotateCommand, keysRevokeCommand],
  },
  {
    name: 'guardrails',
    description: 'What looks at arguments, results and definitions.',
    verbs: [guardrailsTestCommand],
  },
  {
    name: 'limits',
    description: 'How much callers may ask for.',
    verbs: [limitsShowCommand],
  },
  {
    name: 'audit',
    description: 'What was done, by whom, and how it ended.',
    verbs: [auditListCommand, auditExportCommand, auditVerifyCommand],
  },
  {
    name: 'users',
    description: 'People who may sign in to a coordinator started with --auth required.',
    verbs: [
      usersInviteCommand,
      usersListCommand,
      usersSetRoleCommand,
      usersResetCommand,
      usersDisableCommand,
      usersEnableCommand,
    ],
  },
  {
    name: 'secrets',
    description: 'The encrypted store of secrets that the config refers to.',
    verbs: [secretsSetCommand, secretsListCommand, secretsRemoveCommand, secretsRotateKeyCommand],
  },
  {
    name: 'memory',
    description: 'The shared Git memory.',
    verbs: [
      memoryStoreCommand,
      memoryRetrieveCommand,
      memoryListCommand,
      memorySearchCommand,
      memoryDeleteCommand,
      memoryHistoryCommand,
      memoryDiffCommand,
      memoryRestoreCommand,
      memoryStoreManyCommand,
      memoryAppendCommand,
      memoryIncrementCommand,
      memoryConflictsCommand,
      memoryResolveCommand,
      memorySnapshotCommand,
      memoryWorkspaceCommand,
      memoryLinksCommand,
      memoryWatchCommand,
      memorySyncCommand,
      memoryRemotesCommand,
      memoryStatsCommand,
      memoryExportCommand,
      memoryImportCommand,
      memoryBackupCommand,
      memoryVerifyCommand,
      memoryRecoverCommand,
      memoryReindexCommand,
      memoryForgetCommand,
      memoryRekeyCommand,
    ],
  },
  {
    name: 'config',
    description: 'The config file.',
    verbs: [configValidateCommand, configExplainCommand, configSchemaCommand, configReloadCommand],
  },
];

/** Help, complaints and verbs write to the context's streams; nothing here ends the process. */
export function createProgram(context: CliContext): Command {
  const program = new Command('git-memory-mcp')
    .description(
      'One endpoint in front of many MCP servers, with a shared memory that is a plain Git repository.',
    )
    .version(product.version)
    .showSuggestionAfterError();
  for (const verb of verbs) program.addCommand(verb(context));
  for (const { name, description, verbs: own } of nouns) {
    const noun = new Command(name).description(description);
    for (const verb of own) noun.addCommand(verb(context));
    program.addCommand(noun);
  }
  prepare(program, context);
  return program;
}

/** Commander passes neither streams nor `exitOverride` on to commands that were made apart. */
function prepare(command: Command, context: CliContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
    // Complaints are printed once, with their code, where all failures are.
    outputError: () => {},
  });
  for (const child of command.commands) prepare(child, context);
}
