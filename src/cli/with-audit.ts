/** Changes that commands make on a data folder are in its audit log, as those over REST are. */

import type { Config } from '../config/schema.ts';
import { systemClock } from '../kernel/clock.ts';
import { localOwner } from '../kernel/principal.ts';
import type { CliContext } from './context.ts';
import { note } from './output.ts';

/** What the audit log keeps of a change. */
export interface AuditedChange<T> {
  /** Noun and verb, such as `keys create`. */
  readonly action: string;
  /** Never with a secret. */
  readonly arguments: object;
  /** What is changed, if it is there yet. */
  readonly id?: string;
  /** Id of what was made. */
  readonly made?: (result: T) => string;
}

/** Does the work; a change is in the audit log when this resolves. Throws AUDIT_UNAVAILABLE where that is asked for. */
export async function withAudit<T>(
  config: Config,
  context: CliContext,
  change: AuditedChange<T> | undefined,
  work: () => Promise<T>,
): Promise<T> {
  // What these commands change is for coordinators that ask who is there, and they write down what is done unless told not to.
  if (!change || config.audit.mode === 'off') return await work();
  // Loaded here, so that the other verbs start without the store.
  const { auditOnce } = await import('../metering/audit/audit-once.ts');
  const { action, arguments: input, id = '', made } = change;
  const facts = { way: 'cli', principal: localOwner, action, target: id, arguments: input } as const;
  const about = { config, clock: systemClock, warn: (text: string) => note(context, text) };
  return await auditOnce(about, facts, work, made);
}
