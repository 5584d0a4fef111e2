/** What the parts tell of their work, for metrics, logs and exporters. */

import { AppError } from './errors.ts';
import type { GuardrailDirection } from './guardrail-options.ts';
import { RpcError } from './json-rpc.ts';

/** What went wrong and was mended, or is about to be. */
export const incidentKinds = ['failover', 'retry', 'breaker-opening', 'restart', 'fail-open'] as const;
export type IncidentKind = (typeof incidentKinds)[number];

export interface Incident {
  readonly kind: IncidentKind;
  /** Id of the server that failed; `category/name` where it is a whole group. */
  readonly server: string;
  /** Request id of the call that met it, where there is one. */
  readonly call?: string | undefined;
  readonly problem?: string | undefined;
}
export type OnIncident = (incident: Incident) => void;

/** One request of a client that an upstream was asked for, when it is over. */
export interface FinishedCall {
  /** When it came in, milliseconds since the epoch. */
  readonly atMs: number;
  readonly durationMs: number;
  /** Id of the server that answered, or was the last one to be asked. */
  readonly server: string;
  readonly method: string;
  /** The server's own name of the tool or prompt, or the URI. */
  readonly name: string;
  readonly era: 'legacy' | 'modern';
  readonly requestId: string;
  /** `tool-error`: the tool answered that it failed. */
  readonly outcome: 'ok' | 'tool-error' | 'error';
  /** Code of the error, if any; RPC_ERROR for one that the server answered. */
  readonly code?: string | undefined;
  /** How often it was sent. */
  readonly tries: number;
}
export type OnCall = (call: FinishedCall) => void;

/** The code under which a failure is counted: few of them, whatever servers answer. */
export function codeOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  return error instanceof RpcError ? 'RPC_ERROR' : 'INTERNAL';
}

/** What a guardrail found in one call or definition: never the text itself. */
export interface GuardrailFinding {
  readonly guardrail: string;
  readonly rule: string;
  readonly direction: GuardrailDirection;
  /** Where it was first seen, such as `arguments.query`. */
  readonly field: string;
  /** How often. */
  readonly count: number;
  /** `confirmed`: the client's user was asked and let it pass. */
  readonly outcome: 'allowed' | 'redacted' | 'confirmed' | 'blocked';
  /** Id of the server, and its own name of the tool. */
  readonly server: string;
  readonly name: string;
  /** Of the call; absent for definitions. */
  readonly requestId?: string | undefined;
}
export type OnFinding = (finding: GuardrailFinding) => void;
