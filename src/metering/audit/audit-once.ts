/** One change, noted at once and beside whoever else writes the log: for commands on a data folder. */

import { userInfo } from 'node:os';
import type { ChangeFacts } from '../../kernel/audit.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { auditStoreName, openAuditStore } from '../../store/open-audit-store.ts';
import { outcomeOf } from './audit-guard.ts';
import { chainRecords, digestOf, prepareRecord } from './encode-record.ts';
import { redactArguments } from './redact-arguments.ts';

interface AuditOnceOptions {
  readonly config: {
    readonly dataDir: string;
    readonly audit: { readonly onFailure: 'block' | 'allow'; readonly arguments: 'digest' | 'redacted' };
  };
  readonly clock: Clock;
  /** Tells the person at the terminal. */
  readonly warn: (text: string) => void;
}

/** The name of whoever runs the command; the owner of a data folder may be several people. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/**
 * Does the work. Where audit.onFailure is `block`, throws AUDIT_UNAVAILABLE before it if there is no log to write, and
 * after it if the record could not be written. What is made has the id that `madeBy` says.
 */
export async function auditOnce<T>(
  { config, clock, warn }: AuditOnceOptions,
  facts: ChangeFacts,
  work: () => Promise<T>,
  madeBy?: (result: T) => string,
): Promise<T> {
  const { onFailure, arguments: kept } = config.audit;
  const fail = (error: unknown): void => {
    const problem = messageOf(error);
    if (onFailure === 'block') throw new AppError('AUDIT_UNAVAILABLE', { problem }, { cause: error });
    warn(`not in the audit log (${auditStoreName}): ${problem}`);
  };
  const store = await openAuditStore(config.dataDir).catch(fail);
  if (!store) return await work();
  await using _open = store;
  const atMs = clock.now();
  const startedMs = clock.elapsed();
  const digest = digestOf(config);
  const prepare = { config: () => digest, ...(kept === 'redacted' && { redact: redactArguments }) };
  const write = async (end: Parameters<typeof prepareRecord>[0]): Promise<void> => {
    const record = prepareRecord(end, prepare);
    await store.records.append(record.tenant, (head) => chainRecords(head, [record])).catch(fail);
  };
  const { isUrgent: _, ...about } = facts;
  const user = userName();
  const event = { ...about, atMs, details: { user } };
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await write({ ...event, latencyMs: clock.elapsed() - startedMs, ...outcomeOf(error) });
    throw error;
  }
  const latencyMs = clock.elapsed() - startedMs;
  const made = madeBy?.(result);
  const target = facts.target === '' ? (made ?? '') : facts.target;
  await write({ ...event, target, latencyMs, outcome: 'ok', details: { user, made } });
  return result;
}
