/** What the parts tell the audit log: who did what to what, and how it ended. */

import type { Principal } from './principal.ts';

/** By which way it came in. `coordinator` is what the log says of itself. */
export const auditWays = ['mcp', 'rest', 'git', 'web', 'cli', 'door', 'coordinator'] as const;
export type AuditWay = (typeof auditWays)[number];

/** `refused`: turned away for who it was or how much, before anything was done. */
export const auditOutcomes = ['ok', 'tool-error', 'error', 'refused'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

export interface AuditEvent {
  /** When it began, milliseconds since the epoch. */
  readonly atMs: number;
  readonly latencyMs: number;
  readonly way: AuditWay;
  /** Who; absent where nobody knows. */
  readonly principal?: Principal | undefined;
  /** `tools/call`, `PUT /api/v1/bundles/:name`, `git-receive-pack`, `keys create`. */
  readonly action: string;
  /** Id of the server. */
  readonly server?: string | undefined;
  /** The server's own name of the tool, the path, the id of the key. */
  readonly target: string;
  /** Of these a digest is kept. */
  readonly arguments?: unknown;
  readonly outcome: AuditOutcome;
  /** Code of the error. */
  readonly code?: string | undefined;
  readonly requestId?: string | undefined;
  /** Of a tool: its definition, of which a digest is kept. */
  readonly definition?: object | undefined;
  /** What else there is to say. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Takes events without waiting for anything. */
export interface AuditTrail {
  /** Throws AUDIT_UNAVAILABLE while nothing may happen that cannot be written down. */
  assertWritable(): void;
  note(event: AuditEvent): void;
}

/** What is known of a change before it is made. */
export type ChangeFacts = Omit<AuditEvent, 'atMs' | 'latencyMs' | 'outcome' | 'code'> & {
  /** True for what has to be possible while the log cannot be written, such as a stop. */
  readonly isUrgent?: boolean;
};

/**
 * Makes a change and notes how it ended; `judge` says more of it than that nothing was thrown. Throws AUDIT_UNAVAILABLE
 * before it begins, else what the work throws.
 */
export type AuditChange = <T>(
  facts: ChangeFacts,
  work: () => Promise<T>,
  judge?: (result: T) => Pick<AuditEvent, 'details'> & Partial<Pick<AuditEvent, 'outcome' | 'target'>>,
) => Promise<T>;
