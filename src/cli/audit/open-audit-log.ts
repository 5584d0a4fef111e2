/** Where the audit log is read: at a running coordinator, else out of the files of a data folder. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../config/load-config.ts';
import type { AuditReport } from '../../contract/rest/audit-routes.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { auditFolder, recordScope } from '../../kernel/memory/record-keys.ts';
import { localOwner } from '../../kernel/principal.ts';
import type { CliContext } from '../context.ts';
import { note } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import type { CallInput, CallOutput, RestClient } from '../rest-client.ts';

export interface AuditOptions extends RestOptions {
  readonly offline?: boolean;
}

type Query = CallInput<'auditList'>['query'];

/** Read-only. */
export interface OpenedAuditLog extends AsyncDisposable {
  find(query: Query): Promise<CallOutput<'auditList'>>;
  verify(): Promise<AuditReport>;
}

export function auditCommand(name: string, description: string, example: string): Command {
  return restCommand(name, description, example).option(
    '--offline',
    'read the files of the data folder; so it is also done when nothing runs there',
  );
}

const timeoutMs = 3_600_000;

function remoteLog(client: RestClient, onAnswer: () => void): OpenedAuditLog {
  const told = <T>(answer: T): T => {
    onAnswer();
    return answer;
  };
  return {
    find: async (query) => told(await client.call('auditList', { query })),
    verify: async () => told(await client.call('auditVerify', {}, timeoutMs)),
    async [Symbol.asyncDispose]() {},
  };
}

/** Who can read the data folder may read its log. Throws NOT_FOUND where there is none. */
async function localLog(options: AuditOptions, context: CliContext): Promise<OpenedAuditLog> {
  const { config } = await loadConfig({
    env: context.env,
    cwd: context.cwd,
    flags: { dataDir: options.data },
  });
  const { dataDir } = config;
  // Loaded here, so that the other verbs start without the store and the engine.
  const { auditStoreName, openAuditStore } = await import('../../store/open-audit-store.ts');
  if (!existsSync(join(dataDir, auditStoreName)))
    throw new AppError('NOT_FOUND', { what: 'audit log', id: join(dataDir, auditStoreName) });
  note(context, `no coordinator is asked; reading the files of ${dataDir}`);
  const { createAuditLog } = await import('../../metering/audit/audit-log.ts');
  const { checkpointsAmong } = await import('../../metering/audit/read-checkpoints.ts');
  const { readCheckpointKey } = await import('../../metering/audit/checkpoint-keys.ts');
  const { readCommitted } = await import('../../memory/versions/read-committed.ts');
  const key = await readCheckpointKey(dataDir);
  const store = await openAuditStore(dataDir);
  const log = createAuditLog({
    store,
    ownKey: key?.publicKey,
    readKept: async (tenant) =>
      checkpointsAmong(await readCommitted(dataDir, `${recordScope}/${auditFolder}`), tenant),
  });
  return {
    async find({ limit = 100, order = 'newest', cursor, tool, ...filter } = {}) {
      const page = { order, limit: Number(limit), cursor: cursor === undefined ? undefined : Number(cursor) };
      return await log.find(localOwner.tenant, { ...filter, target: tool }, page);
    },
    verify: () => log.verify(localOwner.tenant),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** Does something with the log; where nobody answers, the files are read, unless someone was asked by name. */
export async function withAuditLog<T>(
  options: AuditOptions,
  context: CliContext,
  work: (log: OpenedAuditLog) => Promise<T>,
): Promise<T> {
  if (options.offline !== true) {
    let hasAnswered = false;
    try {
      return await work(remoteLog(await connectRest(options, context), () => (hasAnswered = true)));
    } catch (error) {
      // Half of an export is not begun again.
      if (hasAnswered) throw error;
      const isNamed = options.url !== undefined || (context.env['GIT_MEMORY_MCP_URL'] ?? '') !== '';
      if (isNamed || !isAppError(error, 'COORDINATOR_NOT_RUNNING')) throw error;
    }
  }
  await using log = await localLog(options, context);
  return await work(log);
}
